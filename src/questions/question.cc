#include "questions/question.h"

#include <algorithm>

#include "rules/code_blocks.h"
#include "questions/question_engine.h"

namespace tinyarms::questions {
namespace {

constexpr std::string_view kOpenings[] = {
    "please ",       "can you please ",   "could you please ",  "would you please ",
    "can you tell me ", "could you tell me ", "can you ",        "could you ",
    "tell me ",      "please tell me ",   "hi, ",               "hello, ",
    "hey, ",         "hi ",               "hello ",             "hey ",
    "i want to know ", "i'd like to know ", "i would like to know ", "do you know ",
    "quick question: ", "question: ",     "ok, ",               "so, ",
};
constexpr std::string_view kEndings[] = {", please", " please", ", thanks",       " thanks",
                                         ", thank you", " thank you"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool equal_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool drop_opening(std::string_view& text) {
  for (const std::string_view opening : kOpenings) {
    if (text.size() <= opening.size()) continue;
    if (!equal_letters(text.substr(0, opening.size()), opening)) continue;
    text.remove_prefix(opening.size());
    return true;
  }
  return false;
}

bool drop_ending(std::string_view& text) {
  if (text.empty()) return false;
  const char last = text.back();
  // "5!" is a factorial, "what is 5!" too; "thanks!" is not.
  const bool shout = last == '!' && text.size() > 1 && is_letter(text[text.size() - 2]);
  if (last == '?' || last == '.' || last == ':' || last == ' ' || last == ',' || shout) {
    text.remove_suffix(1);
    return true;
  }
  for (const std::string_view ending : kEndings) {
    if (text.size() <= ending.size()) continue;
    if (!equal_letters(text.substr(text.size() - ending.size()), ending)) continue;
    text.remove_suffix(ending.size());
    return true;
  }
  return false;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

bool is_blank(std::string_view text) { return std::all_of(text.begin(), text.end(), is_space); }

// `code` inside a line: exactly one span, closed. It stands for "this" in its sentence.
std::optional<Question> read_inline_code(const std::string& text) {
  if (std::count(text.begin(), text.end(), '`') != 2) return std::nullopt;
  const size_t open = text.find('`');
  const size_t close = text.find('`', open + 1);
  const std::string code = text.substr(open + 1, close - open - 1);
  if (is_blank(code)) return std::nullopt;
  return Question{normalise_prose(text.substr(0, open) + "this" + text.substr(close + 1)),
                  rules::CodeBlock{"", code}};
}

}  // namespace

std::string normalise_prose(std::string_view text) {
  std::string single;
  for (const char c : text) {
    if (!is_space(c)) {
      single += c;
    } else if (!single.empty() && single.back() != ' ') {
      single += ' ';
    }
  }
  single = replace_all(std::move(single), "’", "'");
  std::string_view rest = single;
  while (drop_ending(rest)) {
  }
  while (drop_opening(rest)) {
  }
  return std::string(rest);
}

std::optional<Question> read_plain_question(std::string_view text) {
  if (text.size() > QuestionEngine::kQuestionBytesMax) return std::nullopt;
  rules::SplitText split = rules::split_code_blocks(text);
  if (!split.blocks.empty()) return std::nullopt;
  std::erase(split.prose, '`');
  return Question{normalise_prose(split.prose), std::nullopt, std::string(text)};
}

std::optional<Question> read_code_question(std::string_view text) {
  if (text.size() > QuestionEngine::kCodeQuestionBytesMax) return std::nullopt;
  rules::SplitText split = rules::split_code_blocks(text);
  if (split.blocks.size() > 1) return std::nullopt;
  if (!split.blocks.empty()) {
    if (split.prose.size() > QuestionEngine::kQuestionBytesMax) return std::nullopt;
    if (is_blank(split.blocks[0].code)) return std::nullopt;
    return Question{normalise_prose(split.prose), std::move(split.blocks[0])};
  }
  const std::string whole(text);
  if (whole.size() <= QuestionEngine::kQuestionBytesMax) {
    if (auto question = read_inline_code(whole)) return question;
  }
  // Pasted: the first line asks, the rest is code.
  const size_t line = whole.find('\n');
  const size_t colon = whole.find(": ");
  const size_t split_at = line != std::string::npos ? line : colon;
  if (split_at == std::string::npos || split_at > QuestionEngine::kQuestionBytesMax) {
    return std::nullopt;
  }
  const size_t start = whole.find_first_not_of("\r\n", split_at + 1);
  if (start == std::string::npos || is_blank(whole.substr(start))) return std::nullopt;
  const size_t code_start = split_at == colon && line == std::string::npos ? colon + 2 : start;
  return Question{normalise_prose(whole.substr(0, split_at)),
                  rules::CodeBlock{"", whole.substr(code_start)}};
}

}  // namespace tinyarms::questions
