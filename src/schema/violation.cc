#include <fmt/format.h>
#include <re2/re2.h>

#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "schema/json_schema.h"

namespace tinyarms::schema {
namespace {

using Node = nlohmann::json;
using Problem = std::optional<std::string>;

constexpr int kJudgeDepthMax = 200;        // of schemas within schemas, references included
constexpr int kJudgeStepsMax = 200'000;    // schemas held against values
constexpr size_t kJudgedBytesMax = 4 << 20;

// Code points, as JSON schema counts a string's length.
size_t length_of(const std::string& text) {
  size_t length = 0;
  for (const char c : text) length += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return length;
}

bool has_type(const Node& value, const std::string& type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_boolean();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "number") return value.is_number();
  if (type != "integer") return true;
  return value.is_number_integer() ||
         (value.is_number() && value.get<double>() == std::floor(value.get<double>()));
}

const Node* member_of(const Node& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

class Judge {
 public:
  explicit Judge(const Node& root) : root_(root) {}

  Problem judge(const Node& schema, const Node& value, const std::string& place, int depth = 0) {
    if (schema.is_boolean()) {
      return schema.get<bool>() ? Problem() : said(place, "is not allowed");
    }
    if (!schema.is_object()) return std::nullopt;
    if (depth > kJudgeDepthMax || ++steps_ > kJudgeStepsMax) {
      return said(place, "is too deep to be checked");
    }
    if (const Node* reference = member_of(schema, "$ref")) {
      const Node* target = referred(*reference);
      if (target == nullptr) return said(place, "has a schema that refers to nothing");
      if (auto problem = judge(*target, value, place, depth + 1)) return problem;
    }
    if (auto problem = judge_value(schema, value, place)) return problem;
    if (value.is_string()) {
      if (auto problem = judge_string(schema, value.get_ref<const std::string&>(), place)) {
        return problem;
      }
    }
    if (value.is_number()) {
      if (auto problem = judge_number(schema, value.get<double>(), place)) return problem;
    }
    if (value.is_object()) {
      if (auto problem = judge_object(schema, value, place, depth)) return problem;
    }
    if (value.is_array()) {
      if (auto problem = judge_array(schema, value, place, depth)) return problem;
    }
    return judge_logic(schema, value, place, depth);
  }

 private:
  static Problem said(const std::string& place, std::string_view what) {
    return fmt::format("{} {}", place.empty() ? "the value" : place, what);
  }

  const Node* referred(const Node& reference) const {
    if (!reference.is_string()) return nullptr;
    const std::string& text = reference.get_ref<const std::string&>();
    if (!text.starts_with('#')) return nullptr;
    try {
      const Node::json_pointer pointer(text.substr(1));
      return root_.contains(pointer) ? &root_.at(pointer) : nullptr;
    } catch (const Node::exception&) {
      return nullptr;
    }
  }

  // A pattern that RE2 does not take says nothing.
  bool matches(const std::string& pattern, const std::string& text) {
    auto& made = patterns_[pattern];
    if (!made) {
      RE2::Options options;
      options.set_log_errors(false);
      options.set_max_mem(1 << 20);
      made = std::make_unique<RE2>(pattern, options);
    }
    return !made->ok() || RE2::PartialMatch(text, *made);
  }

  static Problem judge_value(const Node& schema, const Node& value, const std::string& place) {
    if (const Node* type = member_of(schema, "type")) {
      bool fits = type->is_string() && has_type(value, type->get<std::string>());
      if (type->is_array()) {
        for (const Node& one : *type) {
          fits = fits || (one.is_string() && has_type(value, one.get<std::string>()));
        }
      }
      if (!fits) return said(place, fmt::format("must be of type {}", type->dump()));
    }
    if (const Node* same = member_of(schema, "const"); same != nullptr && *same != value) {
      return said(place, "is not the one value allowed");
    }
    const Node* list = member_of(schema, "enum");
    if (list == nullptr || !list->is_array()) return std::nullopt;
    for (const Node& one : *list) {
      if (one == value) return std::nullopt;
    }
    return said(place, "is none of the values allowed");
  }

  static std::optional<double> number_of(const Node& schema, const char* name) {
    const Node* found = member_of(schema, name);
    if (found == nullptr || !found->is_number()) return std::nullopt;
    return found->get<double>();
  }

  static Problem judge_count(const Node& schema, size_t count, const char* least, const char* most,
                             const std::string& place) {
    const auto minimum = number_of(schema, least);
    const auto maximum = number_of(schema, most);
    const auto number = static_cast<double>(count);
    if (minimum && number < *minimum) return said(place, "is too short");
    if (maximum && number > *maximum) return said(place, "is too long");
    return std::nullopt;
  }

  Problem judge_string(const Node& schema, const std::string& text, const std::string& place) {
    if (auto problem = judge_count(schema, length_of(text), "minLength", "maxLength", place)) {
      return problem;
    }
    const Node* pattern = member_of(schema, "pattern");
    if (pattern == nullptr || !pattern->is_string()) return std::nullopt;
    if (matches(pattern->get<std::string>(), text)) return std::nullopt;
    return said(place, "does not match its pattern");
  }

  static Problem judge_number(const Node& schema, double number, const std::string& place) {
    const auto least = number_of(schema, "minimum");
    const auto most = number_of(schema, "maximum");
    const auto above = number_of(schema, "exclusiveMinimum");
    const auto under = number_of(schema, "exclusiveMaximum");
    const auto step = number_of(schema, "multipleOf");
    if ((least && number < *least) || (above && number <= *above)) {
      return said(place, "is too small");
    }
    if ((most && number > *most) || (under && number >= *under)) return said(place, "is too large");
    if (!step || !(*step > 0)) return std::nullopt;
    const double times = number / *step;
    if (std::abs(times - std::round(times)) <= 1e-9 * std::max(1.0, std::abs(times))) {
      return std::nullopt;
    }
    return said(place, fmt::format("is no multiple of {}", *step));
  }

  Problem judge_object(const Node& schema, const Node& value, const std::string& place,
                       int depth) {
    if (auto problem = judge_count(schema, value.size(), "minProperties", "maxProperties", place)) {
      return problem;
    }
    if (const Node* required = member_of(schema, "required"); required && required->is_array()) {
      for (const Node& name : *required) {
        if (!name.is_string() || value.contains(name.get<std::string>())) continue;
        return said(place, fmt::format("lacks \"{}\"", name.get<std::string>()));
      }
    }
    const Node* known = member_of(schema, "properties");
    const Node* by_pattern = member_of(schema, "patternProperties");
    const Node* others = member_of(schema, "additionalProperties");
    const Node* names = member_of(schema, "propertyNames");
    for (const auto& [name, inner] : value.items()) {
      const std::string here = place.empty() ? name : fmt::format("{}.{}", place, name);
      bool told = false;
      if (names != nullptr) {
        if (auto problem = judge(*names, Node(name), here, depth + 1)) return problem;
      }
      if (known != nullptr && known->is_object() && known->contains(name)) {
        told = true;
        if (auto problem = judge(known->at(name), inner, here, depth + 1)) return problem;
      }
      if (by_pattern != nullptr && by_pattern->is_object()) {
        for (const auto& [pattern, one] : by_pattern->items()) {
          if (!matches(pattern, name)) continue;
          told = true;
          if (auto problem = judge(one, inner, here, depth + 1)) return problem;
        }
      }
      if (told || others == nullptr) continue;
      if (auto problem = judge(*others, inner, here, depth + 1)) return problem;
    }
    return std::nullopt;
  }

  Problem judge_array(const Node& schema, const Node& value, const std::string& place, int depth) {
    if (auto problem = judge_count(schema, value.size(), "minItems", "maxItems", place)) {
      return problem;
    }
    const Node* items = member_of(schema, "items");
    const Node* first = member_of(schema, "prefixItems");
    if (items != nullptr && items->is_array()) {  // draft 7
      first = items;
      items = member_of(schema, "additionalItems");
    }
    for (size_t i = 0; i < value.size(); ++i) {
      const bool placed = first != nullptr && first->is_array() && i < first->size();
      const Node* one = placed ? &(*first)[i] : items;
      if (one == nullptr) continue;
      const std::string here = fmt::format("{}[{}]", place, i);
      if (auto problem = judge(*one, value[i], here, depth + 1)) return problem;
    }
    if (const Node* unique = member_of(schema, "uniqueItems"); unique && *unique == true) {
      if (std::set<Node>(value.begin(), value.end()).size() != value.size()) {
        return said(place, "holds the same twice");
      }
    }
    if (const Node* wanted = member_of(schema, "contains")) {
      for (const Node& one : value) {
        if (!judge(*wanted, one, place, depth + 1)) return std::nullopt;
      }
      return said(place, "holds none of what it must");
    }
    return std::nullopt;
  }

  Problem judge_logic(const Node& schema, const Node& value, const std::string& place, int depth) {
    const auto fits = [&](const Node& one) { return !judge(one, value, place, depth + 1); };
    if (const Node* all = member_of(schema, "allOf"); all && all->is_array()) {
      for (const Node& one : *all) {
        if (auto problem = judge(one, value, place, depth + 1)) return problem;
      }
    }
    for (const char* name : {"anyOf", "oneOf"}) {
      const Node* list = member_of(schema, name);
      if (list == nullptr || !list->is_array()) continue;
      Problem last;
      size_t fitting = 0;
      for (const Node& one : *list) {
        auto problem = judge(one, value, place, depth + 1);
        if (problem) {
          last = std::move(problem);
        } else {
          ++fitting;
        }
      }
      if (fitting == 0) return last;
      if (name[0] == 'o' && fitting > 1) return said(place, "keeps to more than one of \"oneOf\"");
    }
    if (const Node* never = member_of(schema, "not"); never && fits(*never)) {
      return said(place, "is what it must not be");
    }
    if (const Node* condition = member_of(schema, "if")) {
      const Node* then = member_of(schema, fits(*condition) ? "then" : "else");
      if (then != nullptr) return judge(*then, value, place, depth + 1);
    }
    return std::nullopt;
  }

  const Node& root_;
  int steps_ = 0;
  std::map<std::string, std::unique_ptr<RE2>> patterns_;
};

}  // namespace

std::optional<std::string> violation(std::string_view schema, std::string_view value) {
  if (value.size() > kJudgedBytesMax) return "the value is too long to be checked";
  const Node json = Node::parse(value, nullptr, false);
  if (json.is_discarded()) return "the value is not JSON";
  const Node root = Node::parse(schema, nullptr, false);
  if (root.is_discarded()) return "the schema is not JSON";
  return Judge(root).judge(root, json, "");
}

}  // namespace tinyarms::schema
