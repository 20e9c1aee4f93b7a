#include "eval/option_letter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>

namespace tinyarms::eval {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// A letter that stands alone at the beginning of `text`, spaces and marks before it apart.
std::optional<char> leading_letter(std::string_view text, size_t count, bool any_case) {
  const size_t at = text.find_first_not_of(" \t\r\n(*\"'`");
  if (at == std::string_view::npos) return std::nullopt;
  if (at + 1 < text.size() && is_word(text[at + 1])) return std::nullopt;
  // "A stack" is an article and a noun, "A. stack" an option.
  if (at + 2 < text.size() && text[at + 1] == ' ' && is_word(text[at + 2])) return std::nullopt;
  const auto upper = std::toupper(static_cast<unsigned char>(text[at]));
  const char letter = any_case ? static_cast<char>(upper) : text[at];
  if (letter < 'A' || letter >= static_cast<char>('A' + count)) return std::nullopt;
  return letter;
}

}  // namespace

std::optional<char> find_option_letter(std::string_view answer, size_t count) {
  if (const auto letter = leading_letter(answer, count, true)) return letter;
  std::string lower(answer);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (size_t at = lower.find("answer"); at != std::string::npos;
       at = lower.find("answer", at + 1)) {
    std::string_view rest = answer.substr(at + 6);
    for (const std::string_view between : {" is:", " is", ":"}) {
      if (rest.substr(0, between.size()) != between) continue;
      if (const auto letter = leading_letter(rest.substr(between.size()), count, false)) {
        return letter;
      }
      break;
    }
  }
  return std::nullopt;
}

Result<Verdict> judge_letter(const Item& item, std::string_view answer) {
  const std::string& reference = item.reference;
  if (reference.size() != 3 || reference.front() != '"' || reference.back() != '"') {
    return Error{ErrorCode::Internal, "the reference is not one letter", item.id, ""};
  }
  const auto letter = find_option_letter(answer, item.options.size());
  if (!letter) return Verdict{false, "no option chosen"};
  if (*letter == reference[1]) return Verdict{true, "passed"};
  return Verdict{false, fmt::format("wrong option: {}, expected {}", *letter, reference[1])};
}

}  // namespace tinyarms::eval
