#include "base/nearest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace tinyarms {
namespace {

// Quadratic time: a hostile word must not make it slow.
constexpr size_t kWordBytesMax = 128;
// Below this, a prefix says too little to guess from.
constexpr size_t kPrefixBytesMin = 3;

std::string folded(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

size_t alignment_distance(const std::string& a, const std::string& b) {
  // Three rows of the dynamic programme suffice: a swap looks two rows back.
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known) {
  if (word.empty() || word.size() > kWordBytesMax) return std::nullopt;
  const std::string typed = folded(word);
  const std::string* best = nullptr;
  size_t best_distance = 0;
  for (const std::string& candidate : known) {
    if (candidate.empty() || candidate.size() > kWordBytesMax) continue;
    const std::string other = folded(candidate);
    size_t distance = alignment_distance(typed, other);
    const bool begun = typed.size() >= kPrefixBytesMin && other.starts_with(typed);
    const size_t longer = std::max(typed.size(), other.size());
    // A short key with one slip ("lx" for "l2") still deserves its suggestion.
    const size_t allowed = std::max<size_t>(1, longer / 3);
    // A word of one letter is one edit from every other one.
    if (!begun && (distance > allowed || distance >= longer)) continue;
    if (begun) distance = std::min(distance, allowed);
    if (best == nullptr || distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

}  // namespace tinyarms
