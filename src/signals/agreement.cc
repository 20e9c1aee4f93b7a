#include "signals/agreement.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "rules/code.h"
#include "signals/answer_code.h"

namespace tinyarms::signals {
namespace {

constexpr size_t kInputsMax = 5;

re2::StringPiece agreement_piece(std::string_view text) { return {text.data(), text.size()}; }

// The calls in the question's examples; of asserts, what stands before "==".
std::vector<std::string> inputs_of(std::string_view question) {
  std::vector<std::string> calls;
  for (const Example& example : examples_of(question, kInputsMax)) {
    std::string call = example.call;
    if (call.empty() && !re2::RE2::PartialMatch(example.statement, R"(^assert (.+?\)) *==)",
                                                &call)) {
      continue;
    }
    calls.push_back(std::move(call));
  }
  return calls;
}

// What the code prints for each input: values by repr, exceptions by their type.
Result<std::string> behaviour(const std::string& code, const std::vector<std::string>& inputs,
                              sandbox::Judge& judge) {
  std::string program = code + "\n";
  for (const std::string& input : inputs) {
    program += fmt::format(
        "try:\n    print('\\x01' + repr(({})))\nexcept BaseException as _e:\n"
        "    print('\\x01' + type(_e).__name__)\n", input);
  }
  auto outcome = judge.run({.language = "python", .source = program, .cpu_seconds = 2});
  if (!outcome) return outcome.error();
  std::string seen;
  size_t at = 0;
  while ((at = outcome->output.find('\x01', at)) != std::string::npos) {
    const size_t end = std::min(outcome->output.find('\n', at), outcome->output.size());
    seen += outcome->output.substr(at, end - at) + "\n";
    at = end;
  }
  return outcome->passed() ? seen : seen + "did not end well";
}

// Without comment lines, blank lines and the width of blanks.
std::string plain_code(std::string_view code) {
  std::string text;
  while (!code.empty()) {
    const size_t end = std::min(code.find('\n'), code.size());
    std::string line;
    for (const char c : code.substr(0, end)) {
      const bool blank = c == ' ' || c == '\t' || c == '\r';
      if (!blank) line += c;
      if (blank && !line.empty() && line.back() != ' ') line += ' ';
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    if (!line.empty() && line[0] != '#' && !line.starts_with("//")) text += line + "\n";
    code.remove_prefix(std::min(end + 1, code.size()));
  }
  return text;
}

std::string sorted_words(std::string_view text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : std::string(text) + " ") {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || digit ||
                        static_cast<unsigned char>(c) >= 0x80;
    if (letter) {
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!word.empty()) {
      words.insert(std::move(word));
      word.clear();
    }
  }
  std::string text_out;
  for (const std::string& each : words) text_out += each + "\n";
  return text_out;
}

bool asks_for_number(std::string_view question) {
  static const re2::RE2 kAsks(R"((?i)\bhow (many|much|long|far|old|fast|tall)\b|\bcompute\b)"
                              R"(|\bwhat (is|was) the (value|sum|total|number|product|average)\b)"
                              R"(|\bcalculate\b|\bevaluate\b|\bfind\b|final (answer|number))");
  return re2::RE2::PartialMatch(agreement_piece(question), kAsks);
}

double words_in_common(std::string_view a, std::string_view b) {
  const auto set_of = [](std::string_view text) {
    std::set<std::string_view> words;
    while (!text.empty()) {
      const size_t end = text.find('\n');
      words.insert(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    return words;
  };
  const auto first = set_of(a);
  const auto second = set_of(b);
  const auto both = static_cast<double>(std::count_if(
      first.begin(), first.end(), [&](std::string_view word) { return second.contains(word); }));
  const double all = static_cast<double>(first.size() + second.size()) - both;
  return all > 0 ? both / all : 1;
}

}  // namespace

std::string final_number(std::string_view answer) {
  static const re2::RE2 kMarked(R"((?:####|\\boxed\{) *\\?\$?(-?[\d,]*\.?\d+))");
  static const re2::RE2 kNumber(R"((-?\d[\d,]*(?:\.\d+)?))");
  std::string number;
  std::string found;
  re2::StringPiece rest = agreement_piece(answer);
  while (re2::RE2::FindAndConsume(&rest, kMarked, &found)) number = found;
  rest = agreement_piece(answer);
  while (number.empty() && re2::RE2::FindAndConsume(&rest, kNumber, &found)) {
    re2::StringPiece later = rest;
    std::string next;
    if (!re2::RE2::FindAndConsume(&later, kNumber, &next)) number = found;
  }
  std::erase(number, ',');
  if (number.find('.') != std::string::npos) {
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
  }
  return number;
}

std::string chosen_option(std::string_view question, std::string_view answer) {
  static const re2::RE2 kOffers(R"((?m)^\(?A[.):] .*\n\(?B[.):] )");
  static const re2::RE2 kBegins(R"(^\s*(?:\*\*)?\(?([A-H])(?:[^A-Za-z0-9]|$))");
  static const re2::RE2 kNames(R"((?i:answer(?: is)?:?)\s*(?:\*\*)?\(?([A-H])(?:[^A-Za-z0-9]|$))");
  std::string letter;
  if (!re2::RE2::PartialMatch(agreement_piece(question), kOffers)) return letter;
  if (!re2::RE2::PartialMatch(agreement_piece(answer), kBegins, &letter)) {
    (void)re2::RE2::PartialMatch(agreement_piece(answer), kNames, &letter);
  }
  return letter;
}

Result<AnswerKey> answer_key(std::string_view question, std::string_view answer,
                             sandbox::Judge* judge) {
  const std::string code = python_of(answer, question);
  const std::vector<std::string> inputs = code.empty() ? std::vector<std::string>()
                                                       : inputs_of(question);
  if (judge != nullptr && !inputs.empty()) {
    auto seen = behaviour(code, inputs, *judge);
    if (!seen) return seen.error();
    return AnswerKey{AnswerKey::Kind::Behaviour, std::move(*seen)};
  }
  std::string all_code;
  for (const auto& block : rules::extract_code_blocks(answer)) all_code += block.code + "\n";
  if (!all_code.empty() || !code.empty()) {
    return AnswerKey{AnswerKey::Kind::Code, plain_code(all_code.empty() ? code : all_code)};
  }
  if (std::string option = chosen_option(question, answer); !option.empty()) {
    return AnswerKey{AnswerKey::Kind::Choice, std::move(option)};
  }
  if (asks_for_number(question)) {
    if (std::string number = final_number(answer); !number.empty()) {
      return AnswerKey{AnswerKey::Kind::Number, std::move(number)};
    }
  }
  return AnswerKey{AnswerKey::Kind::Words, sorted_words(answer)};
}

double agreement(const AnswerKey& a, const AnswerKey& b) {
  if (a.kind != b.kind) return 0;
  if (a.kind == AnswerKey::Kind::Words) return words_in_common(a.text, b.text);
  return a.text == b.text ? 1 : 0;
}

}  // namespace tinyarms::signals
