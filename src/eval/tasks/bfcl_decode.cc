#include "eval/tasks/bfcl_decode.h"

#include <nlohmann/json.hpp>
#include <string>

#include "eval/tasks/bfcl_python.h"

namespace tinyarms::eval::bfcl {
namespace {

using nlohmann::json;
using Calls = std::optional<std::vector<Call>>;

constexpr size_t kAnswerBytesMax = 1 << 18;
constexpr size_t kCandidatesMax = 64;  // places in prose that are tried

std::string_view strip(std::string_view text, std::string_view characters) {
  const size_t begin = text.find_first_not_of(characters);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(characters) - begin + 1);
}

Calls parse(std::string_view text, Language language) {
  return language == Language::Python ? parse_python_calls(text)
                                      : parse_source_calls(text, language);
}

// Values of Java and JavaScript calls are source text: JSON's are written as source.
Value as_source(const json& value, Language language) {
  if (language == Language::Python) return from_json(value);
  return Value::of(value.is_string() ? value.get<std::string>() : value.dump());
}

std::optional<Call> call_of(std::string name, const json& arguments, Language language) {
  json object = arguments;
  if (object.is_string()) object = json::parse(object.get<std::string>(), nullptr, false);
  if (object.is_null()) object = json::object();
  if (!object.is_object() || name.empty()) return {};
  Call call{std::move(name), {}};
  for (const auto& [key, value] : object.items()) {
    call.arguments.emplace_back(key, as_source(value, language));
  }
  return call;
}

std::optional<Call> call_of(const json& object, Language language) {
  if (!object.is_object()) return {};
  if (object.contains("function") && object["function"].is_object()) {
    return call_of(object["function"], language);
  }
  for (const char* key : {"name", "function"}) {
    if (!object.contains(key) || !object[key].is_string()) continue;
    for (const char* arguments : {"arguments", "parameters", "args"}) {
      if (object.contains(arguments)) {
        return call_of(object[key].get<std::string>(), object[arguments], language);
      }
    }
    return {};
  }
  if (object.size() == 1 && object.begin().value().is_object()) {
    return call_of(object.begin().key(), object.begin().value(), language);
  }
  return {};
}

Calls calls_of(const json& parsed, Language language) {
  if (parsed.is_object() && parsed.contains("tool_calls")) {
    return calls_of(parsed["tool_calls"], language);
  }
  std::vector<Call> calls;
  if (parsed.is_array()) {
    for (const json& item : parsed) {
      auto call = call_of(item, language);
      if (!call) return {};
      calls.push_back(std::move(*call));
    }
    return calls;
  }
  auto call = call_of(parsed, language);
  if (!call) return {};
  calls.push_back(std::move(*call));
  return calls;
}

// Deep nesting would be the parser's stack.
bool is_shallow(std::string_view text) {
  constexpr int kDepthMax = 100;
  int depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kDepthMax) return false;
  }
  return true;
}

Calls parse_json(std::string_view text, Language language) {
  const std::string_view inside = strip(text, " \t\r\n`;");
  const bool starts = inside.starts_with('{') || inside.starts_with('[');
  if (!starts || !is_shallow(inside)) return {};
  const json parsed = json::parse(inside, nullptr, false);
  if (!parsed.is_discarded()) return calls_of(parsed, language);
  // One object a line.
  std::vector<Call> calls;
  for (size_t begin = 0; begin < inside.size();) {
    const size_t end = std::min(inside.find('\n', begin), inside.size());
    const std::string_view line = strip(inside.substr(begin, end - begin), " \t\r,");
    begin = end + 1;
    if (line.empty()) continue;
    auto call = call_of(json::parse(line, nullptr, false), language);
    if (!call) return {};
    calls.push_back(std::move(*call));
  }
  return calls;
}

Calls parse_any(std::string_view text, Language language) {
  if (auto calls = parse_json(text, language)) return calls;
  return decode_strictly(text, language);
}

// The insides of every <tag>…</tag>, one after the other; an element that does not end goes to the
// end of the answer.
Calls in_elements(std::string_view answer, std::string_view tag, Language language) {
  const std::string open = "<" + std::string(tag) + ">";
  const std::string close = "</" + std::string(tag) + ">";
  std::vector<Call> calls;
  size_t at = answer.find(open);
  if (at == std::string_view::npos) return {};
  while (at != std::string_view::npos) {
    const size_t begin = at + open.size();
    const size_t end = std::min(answer.find(close, begin), answer.size());
    auto found = parse_any(answer.substr(begin, end - begin), language);
    if (!found) return {};
    calls.insert(calls.end(), found->begin(), found->end());
    at = answer.find(open, end);
  }
  return calls;
}

Calls in_fences(std::string_view answer, Language language) {
  for (size_t at = answer.find("```"); at != std::string_view::npos;) {
    const size_t line = answer.find('\n', at);
    if (line == std::string_view::npos) return {};
    const size_t end = std::min(answer.find("```", line), answer.size());
    auto calls = parse_any(answer.substr(line, end - line), language);
    if (calls && !calls->empty()) return calls;
    at = end < answer.size() ? answer.find("```", end + 3) : std::string_view::npos;
  }
  return {};
}

// Where the bracket at `at` closes, literals aside; npos where it does not.
size_t closing(std::string_view text, size_t at) {
  int depth = 0;
  for (size_t i = at; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      const size_t end = text.find(c, i + 1);
      const size_t line = text.find('\n', i);
      if (end != std::string_view::npos && (line == std::string_view::npos || end < line)) i = end;
    } else if (c == '[' || c == '{' || c == '(') {
      ++depth;
    } else if ((c == ']' || c == '}' || c == ')') && --depth == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

Calls in_prose(std::string_view answer, Language language) {
  size_t tried = 0;
  for (size_t at = answer.find_first_of("[{");
       at != std::string_view::npos && tried < kCandidatesMax;
       at = answer.find_first_of("[{", at + 1), ++tried) {
    const size_t end = closing(answer, at);
    if (end == std::string_view::npos) continue;
    const std::string_view inside = answer.substr(at, end - at + 1);
    auto calls = parse_json(inside, language);
    if ((!calls || calls->empty()) && answer[at] == '[') calls = parse(inside, language);
    if (calls && !calls->empty()) return calls;
  }
  for (size_t begin = 0; begin < answer.size() && tried < 2 * kCandidatesMax; ++tried) {
    const size_t end = std::min(answer.find('\n', begin), answer.size());
    const std::string_view line = strip(answer.substr(begin, end - begin), " \t\r`;-*");
    begin = end + 1;
    if (!line.ends_with(')')) continue;
    if (auto calls = parse(line, language); calls && !calls->empty()) return calls;
  }
  return {};
}

}  // namespace

Calls decode_strictly(std::string_view answer, Language language) {
  const std::string_view inside = strip(answer, "`\n ");
  std::string text(inside);
  if (!text.starts_with('[')) text = "[" + text;
  if (!text.ends_with(']')) text += "]";
  return parse(text, language);
}

Calls decode_kindly(std::string_view answer, Language language) {
  if (answer.size() > kAnswerBytesMax) return {};
  if (auto calls = decode_strictly(answer, language)) return calls;
  for (const std::string_view tag : {"tool_call", "TOOLCALL", "tool_calls"}) {
    if (auto calls = in_elements(answer, tag, language)) return calls;
  }
  if (auto calls = in_fences(answer, language)) return calls;
  if (auto calls = parse_json(answer, language)) return calls;
  return in_prose(answer, language);
}

}  // namespace tinyarms::eval::bfcl
