#include "eval/tasks/bfcl_decode.h"

#include <gtest/gtest.h>

#include "eval/tasks/bfcl_python.h"
#include "eval/tasks/bfcl_source.h"

namespace tinyarms::eval {
namespace {

using bfcl::Language;

size_t count(const std::optional<std::vector<bfcl::Call>>& calls) {
  return calls ? calls->size() : 99;
}

TEST(BfclDecode, FindsCallsInEveryForm) {
  const auto kindly = [](std::string_view answer) {
    return bfcl::decode_kindly(answer, Language::Python);
  };
  for (const char* answer :
       {"[f(a=1)]", "f(a=1)", "`f(a=1)`", "```python\n[f(a=1)]\n```", "```\nf(a=1)\n```",
        "Here it is: [f(a=1)]. Good luck!", "I call\nf(a=1)\nfor you", "- f(a=1)",
        R"({"name": "f", "arguments": {"a": 1}})", R"([{"name": "f", "parameters": {"a": 1}}])",
        R"(<tool_call>{"name": "f", "arguments": {"a": 1}}</tool_call>)",
        R"(<tool_call>{"name": "f", "arguments": {"a": 1}})",
        R"({"tool_calls": [{"function": {"name": "f", "arguments": "{\"a\": 1}"}}]})",
        R"([{"f": {"a": 1}}])", "```json\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n```",
        R"(Let me see. {"name": "f", "arguments": {"a": 1}} is it.)",
        "<TOOLCALL>[f(a=1)]</TOOLCALL>"}) {
    const auto calls = kindly(answer);
    ASSERT_EQ(count(calls), 1u) << answer;
    EXPECT_EQ(calls->front().name, "f") << answer;
    ASSERT_EQ(calls->front().arguments.size(), 1u) << answer;
    EXPECT_EQ(calls->front().arguments.front().second, bfcl::Value::of(int64_t{1})) << answer;
  }
  EXPECT_EQ(count(kindly("[f(a=1), g(b=2)]")), 2u);
  EXPECT_EQ(count(kindly(R"({"name": "f", "arguments": {}})"
                         "\n"
                         R"({"name": "g", "arguments": {}})")),
            2u);
  for (const char* answer : {"", "No function fits.", "I would (if asked) say no.", "f(a=",
                             "[1, 2]", "{\"a\": 1}"}) {
    const auto calls = kindly(answer);
    EXPECT_TRUE(!calls || calls->empty()) << answer;
  }
}

TEST(BfclDecode, StrictIsAsStrictAsUpstream) {
  const auto strictly = [](std::string_view answer) {
    return bfcl::decode_strictly(answer, Language::Python);
  };
  EXPECT_EQ(count(strictly("f(a=1)")), 1u);
  EXPECT_EQ(count(strictly("```\n[f(a=1)]\n```")), 1u);
  EXPECT_FALSE(strictly("```python\n[f(a=1)]\n```"));
  EXPECT_FALSE(strictly("Sure: f(a=1)"));
  EXPECT_FALSE(strictly(R"({"name": "f"})"));
}

bfcl::Value only_value(std::string_view text) {
  const auto calls = bfcl::parse_python_calls(text);
  if (!calls || calls->size() != 1 || calls->front().arguments.empty()) {
    return bfcl::Value::of(std::string("unparsed"));
  }
  return calls->front().arguments.front().second;
}

TEST(BfclPython, ReadsLiteralsAsPythonDoes) {
  using bfcl::Value;
  EXPECT_EQ(only_value("f(a=-3)"), Value::of(int64_t{-3}));
  EXPECT_EQ(only_value("f(a=2.5e3)"), Value::of(2500.0));
  EXPECT_EQ(only_value("f(a=1_000)"), Value::of(int64_t{1000}));
  EXPECT_EQ(only_value("f(a=2**3 + 4/2)"), Value::of(10.0));
  EXPECT_EQ(only_value("f(a='it\\'s')"), Value::of(std::string("it's")));
  EXPECT_EQ(only_value("f(a=\"\\u00e9\" 'b')"), Value::of(std::string("\u00e9b")));
  EXPECT_EQ(only_value("f(a='''x\ny''')"), Value::of(std::string("x\ny")));
  EXPECT_EQ(only_value("f(a=True)").kind, Value::Kind::Boolean);
  EXPECT_EQ(only_value("f(a=true)"), Value::of(std::string("true")));
  EXPECT_EQ(only_value("f(a=None)").kind, Value::Kind::None);
  EXPECT_EQ(only_value("f(a=name)"), Value::of(std::string("name")));
  EXPECT_EQ(only_value("f(a=g(1))"), Value::of(std::string("g(1)")));
  EXPECT_EQ(only_value("f(a=(1, 2))").kind, Value::Kind::Tuple);
  EXPECT_EQ(only_value("f(a=(1))"), Value::of(int64_t{1}));
  EXPECT_EQ(only_value("f(a={'k': [1, {'l': 2}]})").entry("k")->items.size(), 2u);
  for (const char* bad : {"f(a=1, a=2)", "f(a=1", "f(a=x.y)", "f(a=1)) ", "f a=1", "f(a='x)",
                          "f(a=1 2)", "f(a=08x)", "f(a=1/0)", "import os", "f(a=[1,,2])"}) {
    EXPECT_FALSE(bfcl::parse_python_calls(bad)) << bad;
  }
  EXPECT_FALSE(bfcl::parse_python_calls(std::string(100000, '[')));
  EXPECT_FALSE(bfcl::parse_python_calls("f(a=" + std::string(100000, '-') + "1)"));
  EXPECT_FALSE(bfcl::decode_kindly(std::string(100000, '{'), Language::Python));
}

TEST(BfclSource, ConvertsAsTheDescriptionWants) {
  using bfcl::Value;
  using bfcl::convert_java;
  using bfcl::convert_javascript;
  EXPECT_EQ(convert_java("5", {"integer", ""}), Value::of(int64_t{5}));
  EXPECT_EQ(convert_java("5L", {"long", ""}), Value::of(int64_t{5}));
  EXPECT_EQ(convert_java("5", {"long", ""}), Value::of(std::string("5")));
  EXPECT_EQ(convert_java("2.5f", {"float", ""}), Value::of(2.5));
  EXPECT_EQ(convert_java("2.5", {"float", ""}), Value::of(std::string("2.5")));
  EXPECT_EQ(convert_java("true", {"boolean", ""}).kind, Value::Kind::Boolean);
  EXPECT_EQ(convert_java("new int[]{1, 2}", {"Array", "integer"}).items.size(), 2u);
  EXPECT_EQ(convert_java("new ArrayList<>()", {"ArrayList", "String"}).kind, Value::Kind::List);
  EXPECT_EQ(convert_java("new ArrayList<Integer>() {{ add(1); add(2); }}", {"ArrayList", "integer"})
                .items.size(), 2u);
  const Value map =
      convert_java("new HashMap<String, Object>() {{ put(\"a\", 1); put(\"b\", \"x, y\"); }}",
                   {"HashMap", ""});
  ASSERT_EQ(map.entries.size(), 2u);
  EXPECT_EQ(*map.entry("b"), Value::of(std::string("x, y")));
  EXPECT_EQ(convert_javascript("12n", {"Bigint", ""}), Value::of(int64_t{12}));
  EXPECT_EQ(convert_javascript("[[1, 2], [3]]", {"array", "array"}).items.size(), 2u);
  EXPECT_EQ(convert_javascript("new Array(1, 'a')", {"array", ""}).items.size(), 2u);
  const Value object = convert_javascript("{a: 1, 'b': [true], \"c\": {d: f(x, y)}}", {"dict", ""});
  ASSERT_EQ(object.entries.size(), 3u);
  EXPECT_EQ(*object.entry("c")->entry("d"), Value::of(std::string("f(x, y)")));
  const auto calls = bfcl::parse_source_calls(
      "[A.run(name = \"x, y\", at = new Point(1, 2), f = (a) -> a + 1)]", Language::Java);
  ASSERT_TRUE(calls);
  ASSERT_EQ(calls->front().arguments.size(), 3u);
  EXPECT_EQ(calls->front().arguments[1].second, Value::of(std::string("new Point(1, 2)")));
  EXPECT_FALSE(bfcl::parse_source_calls("A.run(x = \"open)", Language::Java));
  EXPECT_FALSE(bfcl::parse_source_calls("not a call", Language::JavaScript));
}

}  // namespace
}  // namespace tinyarms::eval
