// A set of a grammar's kinds, by their symbol.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tinyarms::rules {

class KindSet {
 public:
  void insert(uint16_t symbol) {
    if (words_.size() <= symbol / 64u) words_.resize(symbol / 64u + 1);
    words_[symbol / 64u] |= uint64_t{1} << (symbol % 64u);
  }
  bool contains(uint16_t symbol) const {
    return symbol / 64u < words_.size() && (words_[symbol / 64u] >> (symbol % 64u) & 1) != 0;
  }
  void intersect(const KindSet& other) {
    words_.resize(std::min(words_.size(), other.words_.size()));
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  }
  void unite(const KindSet& other) {
    words_.resize(std::max(words_.size(), other.words_.size()));
    for (size_t i = 0; i < other.words_.size(); ++i) words_[i] |= other.words_[i];
  }

  std::vector<uint16_t> symbols() const {
    std::vector<uint16_t> all;
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
        all.push_back(static_cast<uint16_t>(i * 64 + static_cast<size_t>(std::countr_zero(word))));
      }
    }
    return all;
  }

 private:
  std::vector<uint64_t> words_;
};

}  // namespace tinyarms::rules
