#include "eval/tasks/math_answer.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tinyarms::eval {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) {
    text.remove_suffix(1);
  }
  return text;
}

// The inside of the braces that open at `at`.
std::optional<std::string_view> braced(std::string_view text, size_t at) {
  int depth = 0;
  for (size_t i = at; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;  // an escaped brace is a character of the answer
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return text.substr(at + 1, i - at - 1);
    }
  }
  return {};
}

std::optional<std::string> box_at(std::string_view solution, size_t at) {
  at = solution.find_first_not_of(" \n", at);
  if (at == std::string_view::npos) return {};
  if (solution[at] != '{') {
    // TeX takes the next character; people who leave the braces out mean the next word.
    const std::string_view word = solution.substr(at, solution.find_first_of(" $\n", at) - at);
    return word.empty() ? std::nullopt : std::optional(std::string(word));
  }
  const auto inside = braced(solution, at);
  return inside ? std::optional(std::string(trim(*inside))) : std::nullopt;
}

// A sentence ends at a line's end or at a period that no digit follows.
std::string_view sentence(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') return text.substr(0, i);
    const bool last = i + 1 == text.size() || std::isspace(static_cast<unsigned char>(text[i + 1]));
    if (text[i] == '.' && last) return text.substr(0, i);
  }
  return text;
}

std::optional<std::string> after_phrase(std::string_view solution) {
  std::string small(solution);
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 3> kPhrases = {"answer is", "answer:", "answer to"};
  size_t best = std::string::npos;
  size_t length = 0;
  for (const std::string_view phrase : kPhrases) {
    const size_t at = small.rfind(phrase);
    if (at != std::string::npos && (best == std::string::npos || at > best)) {
      best = at;
      length = phrase.size();
    }
  }
  if (best == std::string::npos) return {};
  std::string_view rest = trim(solution.substr(best + length));
  while (!rest.empty() && (rest.front() == ':' || rest.front() == '*')) rest.remove_prefix(1);
  rest = trim(sentence(trim(rest)));
  while (rest.ends_with('*')) rest.remove_suffix(1);
  return rest.empty() ? std::nullopt : std::optional(std::string(rest));
}

// What lies between the last two marks, e.g. dollars.
std::optional<std::string> last_between(std::string_view text, std::string_view open,
                                        std::string_view close) {
  const size_t end = text.rfind(close);
  if (end == std::string_view::npos || end == 0) return {};
  const size_t begin = text.rfind(open, end - 1);
  if (begin == std::string_view::npos) return {};
  const std::string_view inside =
      trim(text.substr(begin + open.size(), end - begin - open.size()));
  return inside.empty() ? std::nullopt : std::optional(std::string(inside));
}

std::optional<std::string> last_formula(std::string_view solution) {
  if (auto display = last_between(solution, "\\[", "\\]")) return display;
  if (auto display = last_between(solution, "$$", "$$")) return display;
  return last_between(solution, "$", "$");
}

std::optional<std::string> last_line(std::string_view solution) {
  const std::string_view text = trim(solution);
  if (text.empty()) return {};
  const size_t end = text.rfind('\n');
  return std::string(trim(end == std::string_view::npos ? text : text.substr(end)));
}

}  // namespace

std::optional<std::string> last_boxed(std::string_view solution) {
  const size_t boxed = solution.rfind("\\boxed");
  const size_t framed = solution.rfind("\\fbox");
  if (boxed == std::string_view::npos && framed == std::string_view::npos) return {};
  const bool use_boxed =
      framed == std::string_view::npos || (boxed != std::string_view::npos && boxed > framed);
  return use_boxed ? box_at(solution, boxed + 6) : box_at(solution, framed + 5);
}

std::optional<std::string> final_answer(std::string_view solution) {
  if (auto boxed = last_boxed(solution)) return boxed;
  if (auto named = after_phrase(solution)) return named;
  if (auto formula = last_formula(solution)) return formula;
  return last_line(solution);
}

}  // namespace tinyarms::eval
