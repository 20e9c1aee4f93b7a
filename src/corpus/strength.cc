#include "corpus/strength.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"

namespace tinyarms::corpus {
namespace {

constexpr double kNamed = 0.95;
constexpr double kNamedOften = 0.6;  // several places define it
// First in both rankings and clear of the second by so much. Chosen and counted on the same
// queries (docs/index.md), so what it gives elsewhere is not known.
constexpr double kCosineMargin = 0.05;
constexpr double kWordsRatio = 1.3;
constexpr double kCosineMin = 0.35;  // where there is no second
constexpr double kClear = 0.85;
constexpr double kAgreed = 0.45;
constexpr double kOneRanking = 0.3;

bool is_name_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// "A::b.c" → "c".
std::string_view last_part(std::string_view symbol) {
  size_t at = symbol.size();
  while (at > 0 && is_name_byte(symbol[at - 1])) --at;
  return symbol.substr(at);
}

bool looks_like_code(std::string_view word) {
  if (word.find('_') != std::string_view::npos) return word.find_first_not_of('_') != word.npos;
  for (size_t i = 1; i < word.size(); ++i) {
    if (is_upper(word[i]) && is_lower(word[i - 1])) return true;
  }
  return false;
}

// Whether the best, first in both rankings, leaves the second of each behind.
bool is_clear(std::span<const Found> found) {
  const Found& best = found.front();
  bool second_by_vectors = false;
  for (const Found& each : found.subspan(1)) {
    if (each.vector_rank == 2) {
      second_by_vectors = true;
      if (best.cosine - each.cosine < kCosineMargin) return false;
    }
    if (each.word_rank == 2 && best.bm25 < kWordsRatio * each.bm25) return false;
  }
  return second_by_vectors || best.cosine >= kCosineMin;
}

}  // namespace

std::vector<std::string> identifiers_in(std::string_view question) {
  std::vector<std::string> names;
  size_t at = 0;
  while (at < question.size()) {
    if (!is_name_byte(question[at])) {
      ++at;
      continue;
    }
    const size_t start = at;
    while (at < question.size() && is_name_byte(question[at])) ++at;
    const std::string_view word = question.substr(start, at - start);
    const bool called = question.substr(at, 1) == "(";
    const bool quoted = start > 0 && question[start - 1] == '`';
    const bool qualified =
        (start > 1 && question.substr(start - 2, 2) == "::") || question.substr(at, 2) == "::";
    if (word.size() > 1 && (called || quoted || qualified || looks_like_code(word))) {
      names.emplace_back(word);
    }
  }
  return names;
}

Strength strength_of(std::string_view question, std::span<const Found> found) {
  if (found.empty()) return {};
  const Found& best = found.front();
  const std::string_view name = last_part(best.passage.symbol);
  const auto names = identifiers_in(question);
  if (!name.empty() && std::find(names.begin(), names.end(), name) != names.end()) {
    const auto others = std::count_if(found.begin() + 1, found.end(), [&](const Found& each) {
      return last_part(each.passage.symbol) == name &&
             (each.passage.symbol != best.passage.symbol ||
              each.passage.path != best.passage.path);
    });
    if (others == 0) return {kNamed, fmt::format("it defines {}", name)};
    return {kNamedOften, fmt::format("it is one of {} that define {}", others + 1, name)};
  }
  const bool agreed = best.word_rank == 1 && best.vector_rank == 1;
  if (agreed && is_clear(found)) return {kClear, "first by words and by vectors, by far"};
  if (agreed) return {kAgreed, "first by words and by vectors, but others are close"};
  return {kOneRanking * std::max(0.0, best.cosine), "words and vectors do not agree"};
}

}  // namespace tinyarms::corpus
