#include "eval/tasks/bfcl_source.h"

#include <re2/re2.h>

#include <charconv>
#include <cstdlib>

#include "base/ascii.h"

namespace tinyarms::eval::bfcl {
namespace {

constexpr size_t kSourceBytesMax = 1 << 20;
constexpr int kSourceDepthMax = 30;

bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }
bool opens(char c) { return c == '(' || c == '[' || c == '{'; }
bool closes(char c) { return c == ')' || c == ']' || c == '}'; }

// Where the literal that begins at `at` ends (behind its quote); npos where it does not.
size_t end_of_literal(std::string_view text, size_t at) {
  const char quote = text[at];
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

// Cuts at `separator` outside literals and brackets. Nothing where either is left open. "<" and ">"
// of Java's generics hold no commas that matter: "<String, Object>" only stands before brackets of
// its own, and is skipped as one where it looks like one.
std::optional<std::vector<std::string>> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_quote(c)) {
      const size_t end = end_of_literal(text, i);
      if (end == std::string_view::npos) return {};
      i = end - 1;
    } else if (c == '<') {
      const size_t end = text.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ ,.?<>[]", i);
      if (end != std::string_view::npos && text[end] == '(' && text[end - 1] == '>') i = end - 1;
    } else if (opens(c)) {
      ++depth;
    } else if (closes(c)) {
      if (--depth < 0) return {};
    } else if (c == separator && depth == 0) {
      parts.emplace_back(trimmed(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  if (depth != 0) return {};
  const std::string_view last = trimmed(text.substr(begin));
  if (!last.empty() || !parts.empty()) parts.emplace_back(last);
  return parts;
}

bool is_literal(std::string_view text) {
  return text.size() >= 2 && is_quote(text.front()) && end_of_literal(text, 0) == text.size();
}

std::string unquoted(std::string_view text) {
  return std::string(is_literal(text) ? text.substr(1, text.size() - 2) : text);
}

std::optional<Call> one_call(std::string_view text) {
  while (text.ends_with(';')) text = trimmed(text.substr(0, text.size() - 1));
  static const RE2 kName(R"(^(?:new\s+)?([\w$]+(?:\.[\w$]+)*)\s*\()");
  std::string name;
  const std::string whole(text);
  if (!RE2::PartialMatch(whole, kName, &name) || text.back() != ')') return {};
  const size_t open = text.find('(');
  auto arguments = split(text.substr(open + 1, text.size() - open - 2), ',');
  if (!arguments) return {};
  Call call{name, {}};
  for (const std::string& argument : *arguments) {
    static const RE2 kNamed(R"(^([\w$]+)\s*=\s*([^=>][\s\S]*)$)");
    std::string key;
    std::string value;
    if (!RE2::FullMatch(argument, kNamed, &key, &value)) continue;
    for (const auto& [other, ignored] : call.arguments) {
      if (other == key) return {};
    }
    call.arguments.emplace_back(key, Value::of(unquoted(trimmed(value))));
  }
  return call;
}

std::optional<int64_t> as_integer(std::string_view text) {
  int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

std::optional<double> as_real(const std::string& text) {
  static const RE2 kReal(R"(-?\d+(\.\d+)?([eE][+-]?\d+)?)");
  if (!RE2::FullMatch(text, kReal)) return {};
  return std::strtod(text.c_str(), nullptr);
}

// "12L", "12n": digits and a letter at the end.
std::optional<int64_t> as_suffixed(std::string_view text, std::string_view suffixes) {
  if (text.empty() || suffixes.find(text.back()) == std::string_view::npos) return {};
  return as_integer(text.substr(0, text.size() - 1));
}

Value or_text(const std::optional<int64_t>& value, const std::string& source) {
  return value ? Value::of(*value) : Value::of(source);
}
Value or_text(const std::optional<double>& value, const std::string& source) {
  return value ? Value::of(*value) : Value::of(source);
}
Value boolean_or_text(const std::string& source) {
  return source == "true" || source == "false" ? Value::of(source == "true") : Value::of(source);
}

// What a source text is, where nothing says what it should be.
Value untyped(const std::string& source, Language language) {
  if (source == "true" || source == "false") return Value::of(source == "true");
  if (is_literal(source) && (language == Language::JavaScript || source.front() == '"')) {
    return Value::of(unquoted(source));
  }
  if (language == Language::Java) {
    if (const auto number = as_suffixed(source, "lL")) return Value::of(*number);
    if (!source.empty() && (source.back() == 'f' || source.back() == 'F')) {
      if (const auto number = as_real(source.substr(0, source.size() - 1))) {
        return Value::of(*number);
      }
    }
  }
  if (const auto number = as_integer(source)) return Value::of(*number);
  return or_text(as_real(source), source);
}

std::optional<std::vector<std::string>> items_between(std::string_view text, size_t open) {
  const char close = text[open] == '(' ? ')' : text[open] == '[' ? ']' : '}';
  if (text.back() != close) return {};
  return split(text.substr(open + 1, text.size() - open - 2), ',');
}

Value java_item(const std::string& source, const std::string& type) {
  if (type == "String" || type == "char") return Value::of(unquoted(source));
  return type.empty() || type == "any" ? untyped(source, Language::Java)
                                       : convert_java(source, {type, ""});
}

Value java_list(const std::string& source, const std::vector<std::string>& items,
                const WantedType& wanted) {
  std::vector<Value> values;
  for (const std::string& item : items) {
    if (item.empty()) return Value::of(source);
    values.push_back(java_item(item, wanted.item_type));
  }
  return Value::list(std::move(values));
}

// new T[]{…}; new ArrayList<T>(Arrays.asList(…)), List.of(…), Arrays.asList(…); new ArrayList<T>()
// with or without {{ add(…); }}.
Value java_collection(const std::string& source, const WantedType& wanted) {
  static const RE2 kArray(R"((?s)new\s+[\w.]+\s*\[\]\s*(\{.*\}))");
  static const RE2 kAsList(
      R"((?s)new\s+ArrayList\s*<[\w\s]*>\s*\(\s*(?:Arrays\.asList|List\.of)\s*(\(.*\))\s*\))");
  static const RE2 kPlainList(R"((?s)(?:Arrays\.asList|List\.of)\s*(\(.*\)))");
  static const RE2 kAdds(R"((?s)new\s+ArrayList\s*<[\w\s]*>\s*\(\)\s*(?:\{\s*\{(.*)\}\s*\})?)");
  std::string inside;
  if (RE2::FullMatch(source, kArray, &inside) || RE2::FullMatch(source, kAsList, &inside) ||
      RE2::FullMatch(source, kPlainList, &inside)) {
    const auto items = items_between(inside, 0);
    return items ? java_list(source, *items, wanted) : Value::of(source);
  }
  if (!RE2::FullMatch(source, kAdds, &inside)) return Value::of(source);
  const auto statements = split(inside, ';');
  if (!statements) return Value::of(source);
  std::vector<std::string> items;
  static const RE2 kAdd(R"((?s)add\s*\((.*)\))");
  for (const std::string& statement : *statements) {
    std::string item;
    if (statement.empty()) continue;
    if (!RE2::FullMatch(statement, kAdd, &item)) return Value::of(source);
    items.emplace_back(trimmed(item));
  }
  return java_list(source, items, wanted);
}

// new HashMap<K, V>() with or without {{ put("k", v); }}; Map.of("k", v, …).
Value java_map(const std::string& source) {
  static const RE2 kPuts(
      R"((?s)new\s+HashMap\s*<[\w\s,]*>\s*\(\)\s*(?:\{\s*\{?(.*?)\}?\s*\})?)");
  static const RE2 kPut(R"RE((?s)put\s*\(\s*"(.*?)"\s*,\s*(.*)\))RE");
  std::string inside;
  if (!RE2::FullMatch(source, kPuts, &inside)) return Value::of(source);
  const auto statements = split(inside, ';');
  if (!statements) return Value::of(source);
  Value map;
  map.kind = Value::Kind::Dictionary;
  for (const std::string& statement : *statements) {
    std::string key;
    std::string value;
    if (statement.empty()) continue;
    if (!RE2::FullMatch(statement, kPut, &key, &value)) return Value::of(source);
    map.entries.emplace_back(key, untyped(std::string(trimmed(value)), Language::Java));
  }
  return map;
}

Value javascript_value(const std::string& source, const std::string& item_type, int depth);

Value javascript_array(const std::string& source, const std::string& item_type, int depth) {
  static const RE2 kNew(R"((?s)new\s+Array\s*(\(.*\)))");
  std::string inside = source;
  if (!RE2::FullMatch(source, kNew, &inside) && !source.starts_with('[')) return Value::of(source);
  const auto items = items_between(inside, 0);
  if (!items || depth > kSourceDepthMax) return Value::of(source);
  std::vector<Value> values;
  for (const std::string& item : *items) {
    if (!item.empty()) values.push_back(javascript_value(item, item_type, depth + 1));
  }
  return Value::list(std::move(values));
}

Value javascript_object(const std::string& source, int depth) {
  if (!source.starts_with('{')) return Value::of(source);
  const auto items = items_between(source, 0);
  if (!items || depth > kSourceDepthMax) return Value::of(source);
  Value object;
  object.kind = Value::Kind::Dictionary;
  for (const std::string& item : *items) {
    if (item.empty()) continue;
    const auto sides = split(item, ':');
    if (!sides || sides->size() < 2) return Value::of(source);
    const size_t colon = item.find(':', is_literal((*sides)[0]) ? (*sides)[0].size() : 0);
    const std::string value(trimmed(std::string_view(item).substr(colon + 1)));
    object.entries.emplace_back(unquoted((*sides)[0]), javascript_value(value, "", depth + 1));
  }
  return object;
}

Value javascript_value(const std::string& source, const std::string& item_type, int depth) {
  if (source.starts_with('[')) return javascript_array(source, "", depth);
  if (source.starts_with('{')) return javascript_object(source, depth);
  if (item_type.empty() || is_literal(source)) return untyped(source, Language::JavaScript);
  return convert_javascript(source, {item_type, ""});
}

}  // namespace

std::optional<std::vector<Call>> parse_source_calls(std::string_view text, Language) {
  text = trimmed(text);
  if (text.size() > kSourceBytesMax) return {};
  if (text.starts_with('[') && text.ends_with(']')) text = trimmed(text.substr(1, text.size() - 2));
  std::vector<Call> calls;
  if (text.empty()) return calls;
  const auto parts = split(text, ',');
  if (!parts) return {};
  for (const std::string& part : *parts) {
    if (part.empty()) continue;
    auto call = one_call(part);
    if (!call) return {};
    calls.push_back(std::move(*call));
  }
  return calls;
}

Value convert_java(const std::string& source, const WantedType& wanted) {
  const std::string& type = wanted.type;
  if (type == "byte" || type == "short" || type == "integer") {
    return or_text(as_integer(source), source);
  }
  if (type == "long") return or_text(as_suffixed(source, "lL"), source);
  if (type == "double") return or_text(as_real(source), source);
  if (type == "float") {
    const bool suffixed = source.ends_with('f') || source.ends_with('F');
    return suffixed ? or_text(as_real(source.substr(0, source.size() - 1)), source)
                    : Value::of(source);
  }
  if (type == "boolean") return boolean_or_text(source);
  if (type == "Array" || type == "ArrayList") return java_collection(source, wanted);
  if (type == "HashMap") return java_map(source);
  return Value::of(source);
}

Value convert_javascript(const std::string& source, const WantedType& wanted) {
  const std::string& type = wanted.type;
  if (type == "String") return Value::of(unquoted(source));
  if (type == "integer") return or_text(as_integer(source), source);
  if (type == "float") return or_text(as_real(source), source);
  if (type == "Bigint") return or_text(as_suffixed(source, "n"), source);
  if (type == "Boolean") return boolean_or_text(source);
  if (type == "array") return javascript_array(source, wanted.item_type, 0);
  if (type == "dict") return javascript_object(source, 0);
  return Value::of(source);
}

}  // namespace tinyarms::eval::bfcl
