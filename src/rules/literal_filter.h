// Many literals looked for in one pass over a text (Aho and Corasick, 1975, as a dense automaton
// over byte classes), and the formulas of LiteralNeed evaluated over what was found. Const and
// thread-safe once compiled.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/literal_need.h"

namespace tinyarms::rules {

class LiteralFilter {
 public:
  // The number under which holds() knows the formula. Before compile().
  size_t add(const LiteralNeed& need);
  void compile();

  using Found = std::vector<uint8_t>;  // by literal
  void search(std::string_view text, Found& found) const;
  bool holds(size_t formula, const Found& found) const { return eval(formulas_[formula], found); }

 private:
  static constexpr uint32_t kHasOutput = 1u << 31;

  struct Formula {
    LiteralNeed::Kind kind = LiteralNeed::Kind::Always;
    uint32_t literal = 0;
    std::vector<Formula> parts;
  };

  Formula intern(const LiteralNeed& need);
  bool eval(const Formula& formula, const Found& found) const;
  void classify_bytes();
  void build_trie();
  void link_failures();

  std::vector<Formula> formulas_;
  std::vector<std::string> literals_;
  std::vector<uint8_t> words_;  // by literal: only between other characters than identifiers'
  std::map<std::pair<std::string, bool>, uint32_t> ids_;
  std::array<uint8_t, 256> class_of_{};
  uint32_t classes_ = 1;
  std::vector<uint32_t> next_;  // state * classes_ + class; with kHasOutput
  std::vector<uint32_t> output_starts_;
  std::vector<uint32_t> outputs_;
  std::vector<std::vector<uint32_t>> state_outputs_;  // while building
};

}  // namespace tinyarms::rules
