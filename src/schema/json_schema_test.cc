#include "schema/json_schema.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace tinyarms::schema {
namespace {

std::string refused(const std::string& schema) {
  const auto checked = check_schema(schema);
  return checked ? "" : checked.error().where + ": " + checked.error().what;
}

TEST(JsonSchema, UsualOnesAreTaken) {
  for (const char* schema : {
           "{}", R"({"type": "object"})", R"({"type": ["string", "null"]})",
           R"({"type": "object", "properties": {"type": {"type": "string"}}})",
           R"({"$defs": {"a": {"enum": [1]}}, "$ref": "#/$defs/a"})",
           R"({"type": "array", "items": true, "maxItems": 3})",
           R"({"anyOf": [{"const": 1}, {"type": "null"}], "unheard": {"of": []}})"}) {
    EXPECT_EQ(refused(schema), "") << schema;
  }
}

TEST(JsonSchema, WhatIsNoneIsRefusedWithItsPlace) {
  EXPECT_EQ(refused("[]"), ": must be a JSON object");
  EXPECT_EQ(refused("{"), ": must be a JSON object");
  EXPECT_EQ(refused(R"({"type": "thing"})"), "/type: must be a JSON type, or a list of them");
  EXPECT_EQ(refused(R"({"properties": {"a/b": 7}})"),
            "/properties/a~1b: must be a schema: an object, true or false");
  EXPECT_EQ(refused(R"({"items": {"enum": []}})"), "/items/enum: must be a list of values");
  EXPECT_NE(refused(R"({"$ref": "https://example.com/schema"})"), "");
  EXPECT_NE(refused(R"({"anyOf": {}})"), "");
}

TEST(JsonSchema, SizeAndDepthAreBounded) {
  EXPECT_NE(refused(R"({"description": ")" + std::string(kSchemaBytesMax, 'x') + "\"}"), "");
  std::string deep = "{}";
  for (int i = 0; i < kSchemaDepthMax; ++i) deep = R"({"items": )" + deep + "}";
  EXPECT_NE(refused(deep), "");
  EXPECT_NE(refused(std::string(60000, '[')), "");
  std::string wide = R"({"enum": [0)";
  for (size_t i = 0; i < kSchemaNodesMax; ++i) wide += ",1";
  EXPECT_NE(refused(wide + "]}"), "");
}

TEST(JsonSchema, ValuesAreHeldAgainstIt) {
  struct Case {
    const char* schema;
    const char* value;
    const char* problem;  // empty: it keeps to it
  };
  const std::vector<Case> cases = {
      {R"({"type": "integer"})", "3.0", ""},
      {R"({"type": "integer"})", "3.5", "the value must be of type \"integer\""},
      {R"({"type": ["string", "null"]})", "null", ""},
      {R"({"required": ["city"]})", "{}", "the value lacks \"city\""},
      {R"({"required": ["city"]})", "[]", ""},
      {R"({"properties": {"a": {"properties": {"b": {"type": "string"}}}}})",
       R"({"a": {"b": 1}})", "a.b must be of type \"string\""},
      {R"({"additionalProperties": false, "properties": {"a": {}}})", R"({"b": 1})",
       "b is not allowed"},
      {R"({"items": {"minimum": 2}})", "[2, 1]", "[1] is too small"},
      {R"({"prefixItems": [{"type": "string"}], "items": false})", R"(["a"])", ""},
      {R"({"prefixItems": [{"type": "string"}], "items": false})", R"(["a", 1])",
       "[1] is not allowed"},
      {R"({"enum": ["c", 1]})", "1", ""},
      {R"({"enum": ["c", 1]})", "2", "the value is none of the values allowed"},
      {R"({"const": {"a": [1]}})", R"({"a": [1]})", ""},
      {R"({"maxLength": 1})", "\"\xC3\xA4\"", ""},
      {R"({"maxLength": 1})", "\"ab\"", "the value is too long"},
      {R"({"pattern": "^[a-z]+$"})", "\"ab\"", ""},
      {R"({"pattern": "^[a-z]+$"})", "\"a1\"", "the value does not match its pattern"},
      {R"~({"pattern": "(?=x)"})~", "\"a1\"", ""},  // RE2 has no lookahead
      {R"({"multipleOf": 0.1})", "0.3", ""},
      {R"({"multipleOf": 2})", "3", "the value is no multiple of 2"},
      {R"({"uniqueItems": true})", "[1, 1]", "the value holds the same twice"},
      {R"({"anyOf": [{"type": "string"}, {"type": "null"}]})", "null", ""},
      {R"({"anyOf": [{"type": "string"}]})", "1", "the value must be of type \"string\""},
      {R"({"oneOf": [{"type": "number"}, {"type": "integer"}]})", "1",
       "the value keeps to more than one of \"oneOf\""},
      {R"({"not": {"type": "null"}})", "null", "the value is what it must not be"},
      {R"({"if": {"type": "string"}, "then": {"minLength": 2}})", "\"a\"",
       "the value is too short"},
      {R"({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object",
         "properties": {"next": {"$ref": "#/$defs/n"}}}}})",
       R"({"next": {"next": {}}})", ""},
      {R"({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object",
         "properties": {"next": {"$ref": "#/$defs/n"}}}}})",
       R"({"next": {"next": 1}})", "next.next must be of type \"object\""},
      {R"({"$ref": "#"})", "1", "the value is too deep to be checked"},
      {R"({"$ref": "#/nowhere"})", "1", "the value has a schema that refers to nothing"},
      {"{}", "{\"a\": ", "the value is not JSON"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(violation(one.schema, one.value).value_or(""), one.problem)
        << one.schema << " " << one.value;
  }
}

// Each level holds every one below twice.
TEST(JsonSchema, WorkIsBounded) {
  std::string schema = R"({"$defs": {"s0": {"type": "null"})";
  for (int i = 1; i < 60; ++i) {
    const std::string below = R"({"$ref": "#/$defs/s)" + std::to_string(i - 1) + "\"}";
    schema += ",\"s" + std::to_string(i) + R"(": {"anyOf": [)" + below + "," + below + "]}";
  }
  schema += R"(}, "$ref": "#/$defs/s59"})";
  EXPECT_EQ(refused(schema), "");
  EXPECT_TRUE(violation(schema, "1"));
}

// The reference leads into a part of what refers, which has too many alternatives itself.
TEST(JsonSchema, WhatHoldsAReferenceMayBecomeAnyValue) {
  std::string many = "{}";
  for (int i = 0; i < 70; ++i) many += R"(,{"const":)" + std::to_string(i) + "}";
  EXPECT_EQ(constrainable(R"({"$ref":"#/$defs/t/properties/n","$defs":{"t":{"anyOf":[)" + many +
                          R"(],"properties":{"n":{"anyOf":[{"$ref":"#/$defs/t"},)"
                          R"({"type":"string"}]}}}}})"),
            R"({"$ref":"#/$defs/t/properties/n","$defs":{"t":{}}})");
}

TEST(JsonSchema, AGrammarIsSparedLongWays) {
  std::string schema = R"({"$ref":"#/$defs/a0","$defs":{"a2000":{})";
  for (int i = 0; i < 2000; ++i) {
    schema += fmt::format(R"(,"a{}":{{"$ref":"#/$defs/a{}"}})", i, i + 1);
  }
  const std::string spared = constrainable(schema + "}}");
  // From the start, the way ends after a while, at any value.
  int at = 0;
  while (spared.find(fmt::format(R"("a{}":{{"$ref")", at)) != std::string::npos) ++at;
  EXPECT_GT(at, 0);
  EXPECT_LT(at, 64);
  EXPECT_NE(spared.find(fmt::format(R"("a{}":{{}})", at)), std::string::npos) << at;
}

// Both alternatives are followed with every bracket: twice as many each time.
TEST(JsonSchema, AGrammarIsSparedAlternativesThatMultiply) {
  const auto list_of = [](const std::string& name) {
    return R"({"type":"array","items":{"$ref":"#/$defs/)" + name + "\"}}";
  };
  std::string doubling = R"({"$ref":"#/$defs/a0","$defs":{"a20":{"type":"null"})";
  for (int i = 0; i < 20; ++i) {
    const std::string below = list_of(fmt::format("a{}", i + 1));
    doubling += fmt::format(R"(,"a{}":{{"anyOf":[{},{}]}})", i, below, below);
  }
  const std::string spared = constrainable(doubling + "}}");
  EXPECT_NE(spared.find(R"("a4":{"anyOf":[{"type")"), std::string::npos) << spared;
  EXPECT_NE(spared.find(R"("a5":{"anyOf":[{},{}]})"), std::string::npos) << spared;

  const std::string endless =
      R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[)" + list_of("a") + "," + list_of("a") + "]}}}";
  EXPECT_EQ(constrainable(endless), R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{},{}]}}})");

  const std::string same_key =
      R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[)"
      R"({"properties":{"k":{"$ref":"#/$defs/a"}},"required":["k"]},)"
      R"({"properties":{"k":{"$ref":"#/$defs/a"},"l":{"type":"null"}},"required":["k","l"]}]}}})";
  EXPECT_EQ(constrainable(same_key), R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{},{}]}}})");
}

// "a" is met inside of itself before it is found to begin with itself.
TEST(JsonSchema, AGrammarIsSparedWhatNeverBegins) {
  EXPECT_EQ(constrainable(R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[)"
                          R"({"properties":{"p":{"$ref":"#/$defs/b"}}},{"$ref":"#/$defs/b"}]},)"
                          R"("b":{"anyOf":[{"$ref":"#/$defs/a"},{"type":"null"}]}}})"),
            "{}");
}

TEST(JsonSchema, AlternativesThatTheTextTellsApartStay) {
  std::string tree = R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"type":"null"})";
  for (int i = 0; i < 30; ++i) {  // by the value of a key before
    tree += fmt::format(R"(,{{"type":"object","properties":{{"type":{{"enum":["t{}"]}},)"
                        R"("of":{{"type":"array","items":{{"$ref":"#/$defs/a"}}}}}},)"
                        R"("required":["type","of"]}})", i);
  }
  tree += "]}}}";
  EXPECT_EQ(constrainable(tree), tree);
  const std::string filter =  // by the key
      R"({"anyOf":[{"properties":{"and":{"type":"array","items":{"$ref":"#"}}},)"
      R"("required":["and"]},)"
      R"({"properties":{"or":{"type":"array","items":{"$ref":"#"}}},"required":["or"]},)"
      R"({"properties":{"not":{"$ref":"#"}},"required":["not"]}]})";
  EXPECT_EQ(constrainable(filter), filter);
  const std::string twice =  // one after the other
      R"({"type":"object","properties":{"x":{"$ref":"#"},"y":{"$ref":"#"}}})";
  EXPECT_EQ(constrainable(twice), twice);
}

TEST(JsonSchema, AGrammarIsSparedWhatItCannotKeepTo) {
  EXPECT_EQ(constrainable(R"({"type":"string","maxLength":100000,"pattern":"a|b"})"),
            R"({"type":"string"})");
  EXPECT_EQ(constrainable(R"({"properties":{"pattern":{"type":"string","pattern":"^a+$"}}})"),
            R"({"properties":{"pattern":{"type":"string","pattern":"^a+$"}}})");
  EXPECT_EQ(constrainable(R"({"items":{"maxItems":9,"pattern":"^((a+)+)+(b{2,}){3,}$"}})"),
            R"({"items":{"maxItems":9}})");
  EXPECT_EQ(constrainable(R"({"type":"number","minimum":0.5,"exclusiveMaximum":true,)"
                          R"("required":true,"maximum":7})"),
            R"({"type":"number","maximum":7})");
  EXPECT_EQ(constrainable("{"), "{");
  EXPECT_EQ(constrainable(R"({"items":{"minItems":9,"maxItems":9}})", 10),
            R"({"items":{"minItems":9}})");
  EXPECT_EQ(constrainable(R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"}]}}})"),
            R"({"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{}]}}})");
  // A list within itself begins with its bracket.
  const std::string list =
      R"({"$ref":"#/$defs/a","$defs":{"a":{"type":"array","items":{"$ref":"#/$defs/a"}}}})";
  EXPECT_EQ(constrainable(list), list);
}

}  // namespace
}  // namespace tinyarms::schema
