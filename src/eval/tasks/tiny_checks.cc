// How an answer of `tiny` is judged: by its reference's kind.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "eval/tasks/tiny_parts.h"
#include "rules/code_blocks.h"
#include "sandbox/judge.h"

namespace tinyarms::eval::tiny {
namespace {

using Json = nlohmann::ordered_json;

Verdict passed() { return {true, "passed"}; }

std::string excerpt(std::string_view text) {
  std::string line(text.substr(0, text.find('\n')));
  if (line.size() <= 60) return line;
  line.resize(60);
  while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0x80) != 0) line.pop_back();
  return line + "…";
}

bool is_word_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Where `word` stands in `text` with no letter or digit right before or after it. Marks such as
// "#" or "//" have no such border.
size_t find_word(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool before = at > 0 && is_word_byte(text[at - 1]) && is_word_byte(word.front());
    const bool after = end < text.size() && is_word_byte(text[end]) && is_word_byte(word.back());
    if (!before && !after) return at;
  }
  return std::string_view::npos;
}

// Who compares options answers with one of them; who writes means the one it names first. Of two
// that begin at one place ("//" and "/") the longer is meant.
Verdict judge_option(const Item& item, const std::string& right, std::string_view answer) {
  const auto bare = [](const std::string& option) {
    return option.substr(std::min(option.find_first_not_of(' '), option.size()));
  };
  const std::string* meant = nullptr;
  size_t first = std::string_view::npos;
  const std::string text = lowered(answer);
  for (const std::string& option : item.options) {
    const std::string word = lowered(bare(option));
    const size_t at = find_word(text, word);
    if (at == std::string::npos) continue;
    const bool longer = meant != nullptr && at == first && option.size() > meant->size();
    if (at < first || longer) {
      meant = &option;
      first = at;
    }
  }
  if (meant == nullptr) return {false, "no option chosen"};
  if (*meant == right) return passed();
  return {false, fmt::format("wrong option:{}, expected{}", *meant, right)};
}

// The last number of the answer: models that reason end with their result.
Verdict judge_number(int64_t expected, std::string_view answer) {
  static const RE2 number(R"((-?\d[\d,]*(?:\.\d+)?))");
  std::string_view rest = answer;
  re2::StringPiece input(rest.data(), rest.size());
  std::string word;
  std::string last;
  while (RE2::FindAndConsume(&input, number, &word)) last = word;
  if (last.empty()) return {false, "no number"};
  std::string digits;
  for (const char c : last) {
    if (c != ',') digits += c;
  }
  const double value = std::strtod(digits.c_str(), nullptr);
  if (value == static_cast<double>(expected)) return passed();
  return {false, fmt::format("wrong answer: {}, expected {}", excerpt(last), expected)};
}

Verdict judge_text(const Json& reference, std::string_view answer) {
  const std::string text = lowered(answer);
  const auto contains = [&](const Json& word) {
    return find_word(text, word.get_ref<const std::string&>()) != std::string::npos;
  };
  const Json& others = reference.at("others");
  const Json& accepted = reference.at("accepted");
  if (std::none_of(accepted.begin(), accepted.end(), contains)) {
    return {false, fmt::format("wrong answer: {}, expected {}", excerpt(answer),
                               accepted.front().get<std::string>())};
  }
  for (const Json& other : others) {
    // "South America" also holds the word "America": part of an accepted answer is no other one.
    const std::string& word = other.get_ref<const std::string&>();
    const bool part = std::any_of(accepted.begin(), accepted.end(), [&](const Json& each) {
      return each.get_ref<const std::string&>().find(word) != std::string::npos;
    });
    if (!part && contains(other)) return {false, fmt::format("names {} too", word)};
  }
  return passed();
}

// The first JSON object in the text, by its braces.
Json find_object(std::string_view answer) {
  for (size_t begin = answer.find('{'); begin != std::string_view::npos;
       begin = answer.find('{', begin + 1)) {
    int depth = 0;
    bool quoted = false;
    for (size_t at = begin; at < answer.size(); ++at) {
      const char c = answer[at];
      if (quoted && c == '\\') {
        ++at;
      } else if (c == '"') {
        quoted = !quoted;
      } else if (!quoted && c == '{') {
        ++depth;
      } else if (!quoted && c == '}' && --depth == 0) {
        Json object = Json::parse(answer.substr(begin, at - begin + 1), nullptr, false);
        if (object.is_object()) return object;
        break;
      }
    }
  }
  return Json();
}

Verdict judge_call(const Json& expected, std::string_view answer) {
  const Json call = find_object(answer);
  if (!call.is_object()) return {false, "no JSON object"};
  // Compared without regard to the order of members.
  if (nlohmann::json::parse(call.dump()) == nlohmann::json::parse(expected.dump())) {
    return passed();
  }
  if (!call.contains("name") || call["name"] != expected["name"]) {
    return {false, "wrong function"};
  }
  return {false, "wrong arguments"};
}

std::string code_of(std::string_view answer) {
  std::string code;
  for (const rules::CodeBlock& block : rules::extract_code_blocks(answer)) {
    code += block.code + "\n";
  }
  return code.empty() ? std::string(answer) : code;
}

// The tests run in a process of their own, out of the answer's reach.
Result<Verdict> judge_python(const Json& reference, std::string_view answer,
                             sandbox::Judge& judge) {
  const std::string code = code_of(answer);
  const std::string name = reference.at("name").get<std::string>();
  if (code.find("def " + name) == std::string::npos) return Verdict{false, "no code"};
  auto outcome = judge.run({.language = "python",
                            .source = code,
                            .tests = reference.at("tests").get<std::string>()});
  if (!outcome) return outcome.error();
  using End = sandbox::Outcome::End;
  if (outcome->end == End::TimedOut) return Verdict{false, "timed out"};
  if (outcome->passed()) return passed();
  const std::string& errors = outcome->errors;
  const size_t end = errors.find_last_not_of('\n');
  const size_t begin = end == std::string::npos ? 0 : errors.rfind('\n', end) + 1;
  return Verdict{false, fmt::format("failed: {}", end == std::string::npos
                                                      ? "did not reach the end of the tests"
                                                      : excerpt(errors.substr(begin)))};
}

}  // namespace

std::string option_reference(std::string_view right) {
  return Json{{"check", "option"}, {"right", right}}.dump();
}

std::string number_reference(int64_t value) {
  return Json{{"check", "number"}, {"value", value}}.dump();
}

std::string text_reference(const TextReference& reference) {
  return Json{{"check", "text"}, {"accepted", reference.accepted}, {"others", reference.others}}
      .dump();
}

std::string call_reference(const std::string& call_json) {
  return Json{{"check", "call"}, {"call", Json::parse(call_json)}}.dump();
}

std::string python_reference(std::string_view name, std::string_view tests) {
  return Json{{"check", "python"}, {"name", name}, {"tests", tests}}.dump();
}

Result<Verdict> judge(const Item& item, std::string_view answer, sandbox::Judge& judge) {
  const Json reference = Json::parse(item.reference);
  const std::string check = reference.at("check").get<std::string>();
  if (check == "option") {
    return judge_option(item, reference.at("right").get<std::string>(), answer);
  }
  if (check == "number") return judge_number(reference.at("value").get<int64_t>(), answer);
  if (check == "text") return judge_text(reference, answer);
  if (check == "call") return judge_call(reference.at("call"), answer);
  return judge_python(reference, answer, judge);
}

}  // namespace tinyarms::eval::tiny
