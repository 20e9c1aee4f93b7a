#include "eval/tasks/bfcl_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>

namespace tinyarms::eval::bfcl {
namespace {

using nlohmann::json;
using Kind = Value::Kind;

constexpr int kCheckDepthMax = 20;

// Blanks and light punctuation do not count, nor does case; both quotes are one.
std::string standardised(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view(" ,./-_*^").find(c) != std::string_view::npos) continue;
    result += c == '\'' ? '"' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return result;
}

Value standardised(const Value& value) {
  return value.kind == Kind::String ? Value::of(standardised(value.text)) : value;
}

bool may_be_missing(const json& possible) {
  return std::any_of(possible.begin(), possible.end(),
                     [](const json& answer) { return answer.is_string() && answer == ""; });
}

// The type that a description's word stands for; none: an unknown word.
std::optional<Kind> kind_named(const std::string& type, Language language) {
  struct Named {
    std::string_view name;
    Kind kind;
  };
  constexpr std::array kPython = {
      Named{"string", Kind::String}, Named{"integer", Kind::Integer}, Named{"float", Kind::Float},
      Named{"boolean", Kind::Boolean}, Named{"array", Kind::List}, Named{"tuple", Kind::List},
      Named{"dict", Kind::Dictionary}, Named{"any", Kind::String}};
  constexpr std::array kJava = {
      Named{"byte", Kind::Integer},  Named{"short", Kind::Integer}, Named{"integer", Kind::Integer},
      Named{"float", Kind::Float},   Named{"double", Kind::Float},  Named{"long", Kind::Integer},
      Named{"boolean", Kind::Boolean}, Named{"char", Kind::String}, Named{"Array", Kind::List},
      Named{"ArrayList", Kind::List}, Named{"HashMap", Kind::Dictionary},
      Named{"Hashtable", Kind::Dictionary}, Named{"Queue", Kind::List}, Named{"Stack", Kind::List},
      Named{"String", Kind::String}, Named{"any", Kind::String}};
  constexpr std::array kJavaScript = {
      Named{"String", Kind::String}, Named{"integer", Kind::Integer}, Named{"float", Kind::Float},
      Named{"Bigint", Kind::Integer}, Named{"Boolean", Kind::Boolean},
      Named{"dict", Kind::Dictionary}, Named{"array", Kind::List}, Named{"any", Kind::String}};
  const auto look = [&](const auto& names) -> std::optional<Kind> {
    for (const Named& named : names) {
      if (named.name == type) return named.kind;
    }
    return {};
  };
  switch (language) {
    case Language::Python: return look(kPython);
    case Language::Java: return look(kJava);
    case Language::JavaScript: return look(kJavaScript);
  }
  return {};
}

// The kind of the first possible answer that is one, and not "may be missing".
std::optional<Kind> kind_of_answers(const std::vector<Value>& possible) {
  for (const Value& answer : possible) {
    if (!answer.is_text("")) return answer.kind;
  }
  return {};
}

struct TypeVerdict {
  bool fits = false;
  bool variable = false;  // a name stands where the description wants a value
};

struct ExpectedType {
  Kind kind = Kind::String;
  std::optional<Kind> item_kind;  // where items are checked
};

TypeVerdict check_type(const Value& value, const std::vector<Value>& possible,
                       const ExpectedType& expected) {
  const std::optional<Kind> answers = kind_of_answers(possible);
  const bool variable = answers && *answers != expected.kind;
  if (value.kind == expected.kind) {
    if (!expected.item_kind) return {true, variable};
    for (const Value& answer : possible) {
      const bool fits =
          answer.kind != Kind::List ||
          std::all_of(value.items.begin(), value.items.end(), [&](const Value& item) {
            return check_type(item, answer.items, {*expected.item_kind, {}}).fits;
          });
      if (fits) return {true, variable};
    }
    return {};
  }
  return {answers && value.kind == *answers, true};
}

bool among(const Value& value, const std::vector<Value>& possible) {
  return std::find(possible.begin(), possible.end(), value) != possible.end();
}

bool text_fits(const Value& value, const std::vector<Value>& possible) {
  return std::any_of(possible.begin(), possible.end(), [&](const Value& answer) {
    return answer.kind == Kind::String && standardised(answer.text) == standardised(value.text);
  });
}

std::vector<Value> standardised_items(const Value& list) {
  std::vector<Value> items;
  for (const Value& item : list.items) items.push_back(standardised(item));
  return items;
}

bool list_fits(const Value& value, const std::vector<Value>& possible) {
  const std::vector<Value> items = standardised_items(value);
  return std::any_of(possible.begin(), possible.end(), [&](const Value& answer) {
    // "may be missing" admits an empty list.
    return standardised_items(answer) == items;
  });
}

bool dictionary_fits(const Value& value, const Value& answer, int depth);

// One value of a dictionary against its possible values. A possible dictionary is either the
// value itself or again lists what each of its keys may be.
bool entry_fits(const Value& value, const Value& possible, int depth) {
  // Upstream's data has a bare value here and there, which is the only possible one.
  if (possible.kind != Kind::List) return standardised(possible) == standardised(value);
  return std::any_of(
      possible.items.begin(), possible.items.end(), [&](const Value& answer) {
        if (standardised(answer) == standardised(value)) return true;
        if (value.kind == Kind::List && answer.kind == Kind::List) {
          return standardised_items(value) == standardised_items(answer);
        }
        return value.kind == Kind::Dictionary && answer.kind == Kind::Dictionary &&
               dictionary_fits(value, answer, depth + 1);
      });
}

bool dictionary_fits(const Value& value, const Value& answer, int depth) {
  if (depth > kCheckDepthMax) return false;
  for (const auto& [key, item] : value.entries) {
    const Value* possible = answer.entry(key);
    if (possible == nullptr || !entry_fits(item, *possible, depth)) return false;
  }
  return std::all_of(answer.entries.begin(), answer.entries.end(), [&](const auto& entry) {
    return value.entry(entry.first) != nullptr || among(Value::of(std::string()),
                                                        entry.second.items);
  });
}

bool any_dictionary_fits(const Value& value, const std::vector<Value>& possible) {
  return std::any_of(possible.begin(), possible.end(), [&](const Value& answer) {
    return answer.kind == Kind::Dictionary && dictionary_fits(value, answer, 0);
  });
}

// In order, as many as wanted.
bool dictionaries_fit(const Value& list, const std::vector<Value>& possible) {
  return std::any_of(possible.begin(), possible.end(), [&](const Value& answer) {
    if (answer.is_text("")) return list.items.empty();
    if (answer.kind != Kind::List || answer.items.size() != list.items.size()) return false;
    for (size_t i = 0; i < list.items.size(); ++i) {
      const bool fits = list.items[i].kind == Kind::Dictionary &&
                        any_dictionary_fits(list.items[i], {answer.items[i]});
      if (!fits) return false;
    }
    return true;
  });
}

bool value_fits(const Value& value, const std::vector<Value>& possible,
                const ExpectedType& expected, bool variable) {
  if (!variable) {
    if (expected.kind == Kind::Dictionary) return any_dictionary_fits(value, possible);
    if (expected.kind == Kind::List && expected.item_kind == Kind::Dictionary) {
      return dictionaries_fit(value, possible);
    }
    if (expected.kind == Kind::String) return text_fits(value, possible);
    if (expected.kind == Kind::List) return list_fits(value, possible);
  }
  return among(value, possible);
}

std::string text_at(const json& object, const char* key) {
  return object.is_object() && object.contains(key) && object[key].is_string()
             ? object[key].get<std::string>()
             : "";
}

Value converted(const Value& value, const WantedType& wanted, Language language) {
  switch (language) {
    case Language::Java: return convert_java(value.text, wanted);
    case Language::JavaScript: return convert_javascript(value.text, wanted);
    case Language::Python: break;
  }
  Value result = value;
  if (wanted.type == "tuple" && value.kind == Kind::Tuple) result.kind = Kind::List;
  if (wanted.type == "float" && value.kind == Kind::Integer) {
    result = Value::of(static_cast<double>(value.integer));
  }
  return result;
}

// Empty where the argument is as wanted.
std::string argument_mismatch(const std::string& name, const Value& given,
                              const json& description, const json& possible_json,
                              Language language) {
  WantedType wanted{text_at(description, "type"), ""};
  const auto kind = kind_named(wanted.type, language);
  if (!kind) return fmt::format("{} has the unknown type {}", name, wanted.type);
  ExpectedType expected{*kind, {}};
  const bool listed = wanted.type == "array" || wanted.type == "tuple" ||
                      wanted.type == "Array" || wanted.type == "ArrayList";
  if (listed && description.contains("items")) {
    wanted.item_type = text_at(description["items"], "type");
    expected.item_kind = kind_named(wanted.item_type, language);
  }
  // Untyped items of Java's lists are whatever they are.
  if (language != Language::Python && wanted.item_type == "any") expected.item_kind.reset();
  if (language != Language::Python && given.kind != Kind::String) {
    return fmt::format("{} is no source text", name);
  }
  const Value value = converted(given, wanted, language);
  const Value possible = from_json(possible_json);
  const TypeVerdict type = check_type(value, possible.items, expected);
  if (!type.fits) return fmt::format("{} has the wrong type", name);
  return value_fits(value, possible.items, expected, type.variable)
             ? ""
             : fmt::format("{} has the wrong value", name);
}

const json* find_function(const json& functions, const std::string& name) {
  for (const json& function : functions) {
    if (text_at(function, "name") == name) return &function;
  }
  return nullptr;
}

// One call against one wanted call.
std::string call_mismatch(const Call& call, const json& answer, const json& functions,
                          Language language) {
  if (!answer.is_object() || answer.size() != 1) return "the reference is no call";
  const std::string& name = answer.begin().key();
  const json& possible = answer.begin().value();
  if (call.name != name) return fmt::format("{} is called, {} is wanted", call.name, name);
  const json* function = find_function(functions, name);
  if (function == nullptr || !function->contains("parameters") || !possible.is_object()) {
    return fmt::format("{} is not described", name);
  }
  const json& parameters = (*function)["parameters"];
  const json properties = parameters.value("properties", json::object());
  const auto given = [&](const std::string& key) {
    return std::any_of(call.arguments.begin(), call.arguments.end(),
                       [&](const auto& argument) { return argument.first == key; });
  };
  for (const json& required : parameters.value("required", json::array())) {
    if (required.is_string() && !given(required.get<std::string>())) {
      return fmt::format("{} is missing", required.get<std::string>());
    }
  }
  for (const auto& [key, value] : call.arguments) {
    if (!properties.contains(key) || !possible.contains(key)) {
      return fmt::format("{} is not wanted", key);
    }
    auto wrong = argument_mismatch(key, value, properties[key], possible[key], language);
    if (!wrong.empty()) return wrong;
  }
  for (const auto& [key, values] : possible.items()) {
    if (!given(key) && !may_be_missing(values)) return fmt::format("{} is missing", key);
  }
  return "";
}

// Pairs every wanted call with a call of its own, if that can be done at all (augmenting paths).
class Assignment {
 public:
  explicit Assignment(std::vector<std::vector<bool>> fits)
      : fits_(std::move(fits)), owner_(fits_.size(), -1) {}

  bool place(size_t wanted) {
    std::vector<bool> seen(fits_.size(), false);
    return place(wanted, seen);
  }

 private:
  bool place(size_t wanted, std::vector<bool>& seen) {
    for (size_t call = 0; call < fits_.size(); ++call) {
      if (!fits_[wanted][call] || seen[call]) continue;
      seen[call] = true;
      if (owner_[call] < 0 || place(static_cast<size_t>(owner_[call]), seen)) {
        owner_[call] = static_cast<int>(wanted);
        return true;
      }
    }
    return false;
  }

  std::vector<std::vector<bool>> fits_;
  std::vector<int> owner_;  // of each call: which wanted one it stands for
};

}  // namespace

std::string mismatch(const std::vector<Call>& calls, const Wanted& wanted) {
  if (!wanted.answers.is_array() || !wanted.functions.is_array()) return "there is no reference";
  const size_t count = wanted.answers.size();
  if (calls.size() != count) {
    return fmt::format("{} calls, {} are wanted", calls.size(), count);
  }
  std::vector<std::vector<bool>> fits(count, std::vector<bool>(count, false));
  std::vector<std::string> wrong(count);
  for (size_t i = 0; i < count; ++i) {
    for (size_t call = 0; call < count; ++call) {
      std::string why =
          call_mismatch(calls[call], wanted.answers[i], wanted.functions, wanted.language);
      fits[i][call] = why.empty();
      if (i == call || wrong[i].empty()) wrong[i] = std::move(why);
    }
  }
  Assignment assignment(std::move(fits));
  for (size_t i = 0; i < count; ++i) {
    if (!assignment.place(i)) return wrong[i].empty() ? "a wanted call is missing" : wrong[i];
  }
  return "";
}

}  // namespace tinyarms::eval::bfcl
