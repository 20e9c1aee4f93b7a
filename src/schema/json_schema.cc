#include "schema/json_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "base/bracket_depth.h"
#include "schema/ambiguity.h"

namespace tinyarms::schema {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kGrammarCountMax = 128;     // repetitions that a grammar unrolls
constexpr size_t kGrammarOptionalMax = 64;    // properties that may be left out
constexpr size_t kGrammarWaysMax = 64;        // ways to begin a value
constexpr int kGrammarHeightMax = 64;         // schemas within or behind one another
constexpr int kGrammarRecursionMax = 500;     // while that is measured
constexpr size_t kGrammarAny = 7;             // of a value of any kind
constexpr size_t kGrammarPatternMax = 128;    // bytes
constexpr std::array<const char*, 7> kTypes = {"null",    "boolean", "object", "array",
                                               "number", "integer", "string"};

Error wrong(std::string what, std::string where) {
  return Error{ErrorCode::InvalidArgument, std::move(what), std::move(where), ""};
}

size_t nodes_of(const Json& json) {
  size_t nodes = 1;
  if (!json.is_structured()) return nodes;
  for (const Json& each : json) nodes += nodes_of(each);
  return nodes;
}

std::string below(const std::string& place, std::string_view name) {
  std::string step;
  for (const char c : name) step += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return fmt::format("{}/{}", place, step);
}

bool is_type(const Json& name) {
  return name.is_string() && std::find(kTypes.begin(), kTypes.end(),
                                       name.get<std::string>()) != kTypes.end();
}

Result<void> check_type(const Json& type, const std::string& place) {
  const bool list = type.is_array() && !type.empty() &&
                    std::all_of(type.begin(), type.end(), is_type);
  if (list || is_type(type)) return {};
  return wrong("must be a JSON type, or a list of them", place);
}

bool holds_schemas(std::string_view name) {
  return name == "properties" || name == "patternProperties" || name == "$defs" ||
         name == "definitions" || name == "dependentSchemas";
}

bool lists_schemas(std::string_view name) {
  return name == "anyOf" || name == "oneOf" || name == "allOf" || name == "prefixItems";
}

bool is_schema_keyword(std::string_view name) {
  return name == "additionalProperties" || name == "items" || name == "not" || name == "if" ||
         name == "then" || name == "else" || name == "contains" || name == "propertyNames" ||
         name == "additionalItems" || name == "unevaluatedProperties" ||
         name == "unevaluatedItems";
}

// Calls `visit` for each schema right below one, with its place.
template <typename J, typename Visit>
void each_below(J& schema, const std::string& place, const Visit& visit) {
  for (auto& [name, value] : schema.items()) {
    const std::string here = below(place, name);
    if (holds_schemas(name) && value.is_object()) {
      for (auto& [key, inner] : value.items()) visit(inner, below(here, key));
    } else if (value.is_array() && (lists_schemas(name) || name == "items")) {
      size_t i = 0;
      for (auto& inner : value) visit(inner, fmt::format("{}/{}", here, i++));
    } else if (is_schema_keyword(name)) {
      visit(value, here);
    }
  }
}

Result<void> check_node(const Json& schema, const std::string& place) {
  if (schema.is_boolean()) return {};
  if (!schema.is_object()) return wrong("must be a schema: an object, true or false", place);
  for (const auto& [name, value] : schema.items()) {
    const std::string here = below(place, name);
    if (name == "type") {
      if (auto good = check_type(value, here); !good) return good;
    } else if (holds_schemas(name) && !value.is_object()) {
      return wrong("must be an object", here);
    } else if (lists_schemas(name) && (!value.is_array() || value.empty())) {
      return wrong("must be a list of schemas", here);
    } else if (name == "required" && !value.is_array() && !value.is_boolean()) {  // draft 3
      return wrong("must be a list of names", here);
    } else if (name == "enum" && (!value.is_array() || value.empty())) {
      return wrong("must be a list of values", here);
    } else if (name == "pattern" && !value.is_string()) {
      return wrong("must be a string", here);
    } else if (name == "$ref") {
      const bool own = value.is_string() && value.get<std::string>().starts_with('#');
      if (!own) return wrong("must refer into the same schema, like #/$defs/name", here);
    }
  }
  Result<void> good = {};
  each_below(schema, place, [&](const Json& inner, const std::string& where) {
    if (good) good = check_node(inner, where);
  });
  return good;
}

// Anchored, without repetitions of repetitions: what is left out is checked afterwards.
bool grammar_takes(const std::string& pattern) {
  if (pattern.size() > kGrammarPatternMax || !pattern.starts_with('^') ||
      !pattern.ends_with('$')) {
    return false;
  }
  if (pattern.find("(?") != std::string::npos || pattern.find("\\b") != std::string::npos ||
      pattern.find("\\p") != std::string::npos || pattern.find('{') != std::string::npos) {
    return false;
  }
  return std::count(pattern.begin(), pattern.end(), '(') <= 4;
}

// Takes out what a grammar cannot keep to, or would unroll too far.
void loosen(Json& schema, int64_t& repeats) {
  if (!schema.is_object()) return;
  for (const char* name : {"minItems", "maxItems", "minLength", "maxLength"}) {
    const auto found = schema.find(name);
    if (found == schema.end()) continue;
    const int64_t count = found->is_number_integer() ? found->get<int64_t>() : -1;
    if (count >= 0 && count <= std::min(kGrammarCountMax, repeats)) {
      repeats -= count;
    } else {
      schema.erase(found);
    }
  }
  for (const char* name : {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}) {
    const auto found = schema.find(name);
    if (found != schema.end() && !found->is_number_integer()) schema.erase(found);
  }
  const auto required = schema.find("required");
  if (required != schema.end() && !required->is_array()) schema.erase(required);
  if (const auto found = schema.find("pattern"); found != schema.end()) {
    if (!found->is_string() || !grammar_takes(found->get<std::string>())) schema.erase(found);
  }
  for (const char* name : {"patternProperties", "propertyNames", "not", "if", "then", "else",
                           "contains", "dependentSchemas", "dependentRequired",
                           "unevaluatedProperties", "unevaluatedItems", "$schema", "$id"}) {
    schema.erase(name);
  }
  // Each property that may be left out can be followed by all after it.
  const size_t known = schema.contains("properties") ? schema["properties"].size() : 0;
  const size_t needed = schema.contains("required") ? schema["required"].size() : 0;
  if (known > needed + kGrammarOptionalMax) {
    for (const char* name : {"properties", "required", "additionalProperties"}) schema.erase(name);
  }
  each_below(schema, "", [&](Json& inner, const std::string& place) {
    if (inner.is_boolean() && place != "/additionalProperties") inner = Json::object();
    loosen(inner, repeats);
  });
}

// How many ways a value may begin: each is a stack that a grammar follows at once. References can
// multiply them without end; what has too many becomes any value, and so does what leads through
// too many schemas, which the conversion follows by recursion.
class Alternatives {
 public:
  static void limit(Json& root) {
    Alternatives all(root);
    all.measure(root, {}, 0);
    all.loosen_below(root);
  }

 private:
  struct Extent {
    size_t ways = kGrammarAny;
    int height = 0;  // schemas on the longest way down
  };

  explicit Alternatives(const Json& root) : root_(root) {}

  // `chain`: the schemas around this one that begin where it does. Nothing is changed yet: a
  // reference may lead to what holds the schema that is being looked at.
  Extent measure(const Json& schema, std::vector<const Json*> chain, int depth) {
    if (!schema.is_object()) return {.ways = 1};
    if (const auto found = done_.find(&schema); found != done_.end()) return found->second;
    chain.push_back(&schema);
    done_[&schema] = {};  // seen again further inside
    Extent own{.ways = schema.contains("enum") ? schema["enum"].size() : 1};
    if (schema.contains("type") && schema["type"].is_array()) own.ways += schema["type"].size();
    if (schema.empty()) own.ways = kGrammarAny;
    if (depth < kGrammarRecursionMax) {
      measure_parts(schema, chain, depth + 1, own);
    } else {
      own.height = kGrammarHeightMax;
    }
    if (own.ways > kGrammarWaysMax || own.height >= kGrammarHeightMax) {
      too_many_.insert(&schema);
      own = {};
    }
    done_[&schema] = own;
    return own;
  }

  void measure_parts(const Json& schema, const std::vector<const Json*>& chain, int depth,
                     Extent& own) {
    const auto begins_with = [&](const Extent& part) {
      own.ways += part.ways;
      own.height = std::max(own.height, part.height + 1);
    };
    for (const auto& [name, value] : schema.items()) {
      if (name == "anyOf" || name == "oneOf" || name == "allOf") {
        for (const Json& each : value) begins_with(measure(each, chain, depth));
      } else if (name == "$ref") {
        begins_with(measure_target(value, chain, depth));
      }
    }
    each_below(schema, "", [&](const Json& inner, const std::string&) {
      own.height = std::max(own.height, measure(inner, {}, depth).height + 1);
    });
  }

  Extent measure_target(const Json& reference, const std::vector<const Json*>& chain, int depth) {
    if (!reference.is_string()) return {.ways = 1};
    try {
      const Json::json_pointer place(reference.get<std::string>().substr(1));
      if (!root_.contains(place)) return {.ways = 1};  // the conversion says so
      const Json& target = root_.at(place);
      // A value that begins with itself never begins.
      if (std::find(chain.begin(), chain.end(), &target) != chain.end()) {
        return {.ways = kGrammarWaysMax + 1};
      }
      return measure(target, chain, depth);
    } catch (const Json::exception&) {
      return {.ways = 1};
    }
  }

  // From the outside in, so that nothing is looked for in what is gone.
  void loosen_below(Json& json) const {
    if (too_many_.contains(&json)) {
      json = Json::object();
      return;
    }
    if (!json.is_structured()) return;
    for (Json& each : json) loosen_below(each);
  }

  const Json& root_;
  std::map<const Json*, Extent> done_;
  std::set<const Json*> too_many_;
};

}  // namespace

Result<void> check_schema(std::string_view schema) {
  if (schema.size() > kSchemaBytesMax) {
    return wrong(fmt::format("the schema has {} bytes, at most {} are taken", schema.size(),
                             kSchemaBytesMax), "");
  }
  if (const int depth = bracket_depth(schema); depth > kSchemaDepthMax) {
    return wrong(fmt::format("the schema nests {} deep, at most {} are taken", depth,
                             kSchemaDepthMax), "");
  }
  const Json json = Json::parse(schema, nullptr, false);
  if (!json.is_object()) return wrong("must be a JSON object", "");
  if (const size_t nodes = nodes_of(json); nodes > kSchemaNodesMax) {
    return wrong(fmt::format("the schema has {} parts, at most {} are taken", nodes,
                             kSchemaNodesMax), "");
  }
  return check_node(json, "");
}

std::string constrainable(std::string_view schema, int64_t repeats) {
  Json json = Json::parse(schema, nullptr, false);
  if (json.is_discarded()) return std::string(schema);
  loosen(json, repeats);
  Alternatives::limit(json);
  limit_ambiguity(json);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tinyarms::schema
