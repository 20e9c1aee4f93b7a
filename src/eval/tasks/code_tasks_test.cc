// The tasks about code on small files of upstream's forms, judged by the real sandbox.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "eval/code_verdict.h"
#include "eval/task_registry.h"
#include "eval/tasks/livecodebench_tests.h"
#include "eval/tasks/multipl_e_program.h"
#include "sandbox/bubblewrap_judge.h"

namespace tinyarms::eval {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class CodeTasksTest : public ::testing::Test {
 protected:
  CodeTasksTest()
      : folder_(std::filesystem::temp_directory_path() /
                fmt::format("tinyarms-code-tasks-{}", ::getpid())) {}
  ~CodeTasksTest() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(write_file_atomically(folder_ / name, text));
  }

  std::vector<Item> read(const Task& task) {
    auto items = task.read(folder_);
    EXPECT_TRUE(items) << items.error().message();
    return items ? *items : std::vector<Item>();
  }

  // "passed" or why not; an error's message where it could not be measured.
  std::string judged(const Task& task, const Item& item, const std::string& answer) {
    if (judge_ == nullptr) judge_ = sandbox::make_judge();
    const auto verdict = task.score(item, answer, *judge_);
    return verdict ? verdict->reason : verdict.error().message();
  }

  static bool no_sandbox() { return !sandbox::check(); }

  std::filesystem::path folder_;
  std::unique_ptr<sandbox::Judge> judge_;
};

#define NEEDS_SANDBOX() \
  if (no_sandbox()) GTEST_SKIP() << "no sandbox: " << sandbox::check().error().message()

TEST_F(CodeTasksTest, MissingAndMalformedFilesSayWhere) {
  const auto task = make_humaneval();
  auto missing = task->read(folder_);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
  write("humaneval/HumanEval.jsonl",
        R"({"task_id":"a","prompt":"def f():\n","entry_point":"f","test":""})" "\n[1]\n");
  auto array = task->read(folder_);
  ASSERT_FALSE(array);
  EXPECT_EQ(array.error().code, ErrorCode::Corrupt);
  EXPECT_THAT(array.error().where, HasSubstr("HumanEval.jsonl:2"));
  write("humaneval/HumanEval.jsonl", R"({"task_id":"a","prompt":7})");
  EXPECT_THAT(task->read(folder_).error().message(), HasSubstr("`prompt`"));
  write("humaneval/HumanEval.jsonl.gz", "\x1f\x8b no gzip");
  EXPECT_EQ(task->read(folder_).error().code, ErrorCode::Corrupt);
  for (const auto& other : {make_mbpp(), make_mbpp_sanitized(), make_livecodebench(),
                            make_cruxeval_input()}) {
    const auto result = other->read(folder_);
    ASSERT_FALSE(result) << other->name();
    EXPECT_EQ(result.error().code, ErrorCode::NotFound) << other->name();
  }
  write("mbpp/mbpp.jsonl", R"({"task_id":11,"text":"t","code":"c","test_list":[3]})");
  EXPECT_THAT(make_mbpp()->read(folder_).error().where, HasSubstr("mbpp.jsonl:1"));
}

TEST_F(CodeTasksTest, HumanEvalPlusComparesWithTheReference) {
  NEEDS_SANDBOX();
  const Json row = {{"task_id", "HumanEval/900"},
                    {"prompt", "from typing import List\n\ndef half(x: List[float]) -> float:\n"
                               "    \"\"\"Half of the sum\"\"\"\n"},
                    {"entry_point", "half"},
                    {"canonical_solution", "    return sum(x) / 2\n"},
                    {"base_input", {{{1.0, 2.0}}}},
                    {"plus_input", {{Json::array()}, {{0.1, 0.2, 0.30000000001}}}},
                    {"atol", 0}};
  write("humaneval/HumanEvalPlus.jsonl", row.dump() + "\n");
  const auto task = make_humaneval_plus();
  const auto items = read(*task);
  ASSERT_EQ(items.size(), 1u);
  const auto answer = [&](const std::string& body) {
    return judged(*task, items[0], "```python\ndef half(x):\n    " + body + "\n```");
  };
  EXPECT_EQ(answer("return sum(x) * 0.5"), "passed");
  EXPECT_EQ(answer("return sum(reversed(x)) / 2"), "passed");  // within the tolerance
  EXPECT_EQ(answer("return sum(x)"), "failed: AssertionError");
  EXPECT_EQ(answer("return sum(x) / 2 if x else None"), "failed: AssertionError");
  EXPECT_EQ(judged(*task, items[0], "sorry"), "no code");
  // A body alone continues the prompt, a function gets its imports.
  EXPECT_EQ(judged(*task, items[0], "```python\n    return sum(x) / 2\n```"), "passed");
  EXPECT_EQ(judged(*task, items[0],
                   "```python\ndef half(x: List[float]):\n    return sum(x) / 2\n```"),
            "passed");
}

TEST_F(CodeTasksTest, MbppSanitized) {
  NEEDS_SANDBOX();
  const Json rows = {{{"task_id", 2},
                      {"prompt", "Round it."},
                      {"code", "def near(x):\n    return round(x)"},
                      {"test_imports", {"import math"}},
                      {"test_list", {"assert math.isclose(near(1.6), 2)", "assert near(0) == 0"}}}};
  write("mbpp/sanitized-mbpp.json", rows.dump());
  const auto task = make_mbpp_sanitized();
  const auto items = read(*task);
  ASSERT_EQ(items.size(), 1u);
  EXPECT_THAT(items[0].messages[0].content, HasSubstr("assert near(0) == 0"));
  EXPECT_EQ(judged(*task, items[0], "def near(x):\n    return int(x + 0.5)"), "passed");
  EXPECT_EQ(judged(*task, items[0], "def near(x):\n    return int(x)"), "failed: AssertionError");
  EXPECT_EQ(judged(*task, items[0], "def near(x):\n    while True: pass"), "timed out");
}

TEST_F(CodeTasksTest, CruxEvalTakesOneExpression) {
  NEEDS_SANDBOX();
  const Json row = {{"id", "sample_0"},
                    {"code", "def f(s, n):\n    return [s] * n"},
                    {"input", "'a==b', 2"},
                    {"output", "['a==b', 'a==b']"}};
  write("cruxeval/cruxeval.jsonl", row.dump());
  const auto output = make_cruxeval_output();
  const Item asked = read(*output).at(0);
  for (const char* right : {"[ANSWER]['a==b', 'a==b'][/ANSWER]", "['a==b', 'a==b']",
                            "It is\n```python\nassert f('a==b', 2) == ['a==b', 'a==b']\n```",
                            "so\n[ANSWER]\nf('a==b', 2) == [\"a==b\"]*2\n[/ANSWER] done"}) {
    EXPECT_EQ(judged(*output, asked, right), "passed") << right;
  }
  for (const char* wrong : {"[ANSWER]['a==b'][/ANSWER]", "[ANSWER]f('a==b', 2)[/ANSWER]", "",
                            "[ANSWER]__import__('os')._exit(0)[/ANSWER]", "no idea"}) {
    EXPECT_NE(judged(*output, asked, wrong), "passed") << wrong;
  }
  const auto input = make_cruxeval_input();
  EXPECT_EQ(judged(*input, asked, "[ANSWER]f(s='a==b', n=2)[/ANSWER]"), "passed");
  EXPECT_EQ(judged(*input, asked, "[ANSWER]'a==b', 2[/ANSWER]"), "passed");
  EXPECT_NE(judged(*input, asked, "[ANSWER]f('a==b', 3)[/ANSWER]"), "passed");
}

TEST_F(CodeTasksTest, LiveCodeBenchByOutputAndByValue) {
  NEEDS_SANDBOX();
  // [{"input": "5\n", "output": "25\n", "testtype": "stdin"}], packed as upstream does.
  const std::string packed =
      "eJxrYJlqywABPZbR1UqZeQWlJUpWCkqmMXlKOgpK+aUlUAEjqEhJanFJSWVBKkisuCQlM0+pNnaKHgCnMxSB";
  Json row = {{"question_id", "q1"},        {"question_content", "Square it."},
              {"contest_date", "2024-05-01T00:00:00"}, {"difficulty", "easy"},
              {"starter_code", ""},         {"metadata", "{}"},
              {"public_test_cases", R"([{"input":"3","output":"9","testtype":"stdin"}])"},
              {"private_test_cases", packed}};
  std::string text = row.dump() + "\n";
  row["question_id"] = "q2";
  row["contest_date"] = "2024-11-02T00:00:00";
  row["metadata"] = R"({"func_name": "pair"})";
  row["starter_code"] = "class Solution:\n    def pair(self, a: int, b: List[int]):\n";
  row["public_test_cases"] =
      R"([{"input":"1\n[2]","output":"[1, [2]]","testtype":"functional"}])";
  row["private_test_cases"] = "[]";
  write("livecodebench/test2.jsonl", text + row.dump() + "\n");
  const auto task = make_livecodebench();
  const auto items = read(*task);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].group, "2024-05 easy");
  EXPECT_EQ(read(*make_livecodebench_recent()).size(), 1u);
  EXPECT_EQ(judged(*task, items[0], "```python\nprint(int(input()) ** 2)\n```"), "passed");
  EXPECT_EQ(judged(*task, items[0], "```python\nprint(9)\n```"), "wrong answer (test 2 of 2)");
  EXPECT_EQ(judged(*task, items[0], "```python\nexit(0)\n```"), "wrong answer (test 1 of 2)");
  const std::string solution =
      "```python\nclass Solution:\n    def pair(self, a: int, b: List[int]):\n        return ";
  EXPECT_EQ(judged(*task, items[1], solution + "(a, b)\n```"), "passed");
  EXPECT_THAT(judged(*task, items[1], solution + "[b, a]\n```"), HasSubstr("wrong answer"));
}

TEST(LiveTests, HostileFormsAreCorrupt) {
  for (const char* bad : {"", "{}", "[1]", "[{}]", "%%%", "AAAA", R"([{"input":"a"}])"}) {
    const auto tests = parse_live_tests(bad);
    ASSERT_FALSE(tests) << bad;
    EXPECT_EQ(tests.error().code, ErrorCode::Corrupt) << bad;
  }
}

TEST(LiveTests, OutputsAreComparedLineByLine) {
  EXPECT_TRUE(same_live_output("1 2\n3\n", "1 2 \n3"));
  EXPECT_TRUE(same_live_output("0.50 1", "0.5 1.0"));
  EXPECT_FALSE(same_live_output("1 2 3", "1 2\n3"));
  EXPECT_FALSE(same_live_output("yes", "Yes"));
  EXPECT_FALSE(same_live_output("", "1"));
  EXPECT_FALSE(same_live_output("0.5000001", "0.5"));
}

TEST_F(CodeTasksTest, OtherLanguagesPassOnlyAtTheEndOfTheirTests) {
  NEEDS_SANDBOX();
  struct Case {
    const char* language;
    MultiplERow row;
    const char* right;
    const char* leaves_early;
  };
  const Case cases[] = {
      {"cpp",
       {"cpp", "#include <cassert>\n// Adds\nlong add(long a, long b) {\n",
        "}\nint main() {\n    assert(add(1, 2) == 3);\n}\n", "add"},
       "#include <iostream>\nlong add(long a, long b) { return a + b; }\n"
       "int main() { std::cout << add(1, 1); }\n",
       "#include <cstdlib>\nlong add(long a, long b) { std::exit(0); }\n"},
      {"java",
       {"java",
        "import java.util.*;\nclass Problem {\n    public static long add(long a, long b) {\n",
        "    }\n    public static void main(String[] args) {\n    assert(add(1l, 2l) == 3l);\n"
        "    }\n\n}\n",
        "add"},
       "import java.util.*;\npublic class Main {\n  public static long add(long a, long b) {\n"
       "    return a + b;\n  }\n  public static void main(String[] a) {}\n}\n",
       "class Main {\n  public static long add(long a, long b) { System.exit(0); return 0; }\n}\n"},
      {"javascript",
       {"javascript", "//Adds\nfunction add(a, b){\n",
        "const assert = require('node:assert');\nfunction test() {\n  assert.equal(add(1, 2), 3);\n"
        "}\ntest();",
        "add"},
       "const add = (a, b) => a + b;\n", "function add(a, b) { process.exit(0); }\n"},
  };
  const auto judge = sandbox::make_judge();
  for (const Case& c : cases) {
    if (auto there = judge->available(c.language); !there) {
      std::cout << "not run: " << there.error().message() << "\n";
      continue;
    }
    EXPECT_EQ(multipl_e_entry_point(c.language, c.row.prompt), "add");
    const auto run = [&](const std::string& program) {
      auto outcome = run_to_the_end(*judge, c.language, program, "mark-123");
      return outcome ? verdict_of(*outcome).reason : outcome.error().message();
    };
    const auto right = assembled(c.row, c.right);
    ASSERT_TRUE(right) << c.language;
    EXPECT_EQ(run(*right), "passed") << *right;
    const auto early = assembled(c.row, c.leaves_early);
    ASSERT_TRUE(early) << c.language;
    EXPECT_EQ(run(*early), "failed: it ended before its tests did") << *early;
    EXPECT_FALSE(assembled(c.row, "nothing of it"));
    EXPECT_NE(run(completed(c.row, "")), "passed");
  }
}

TEST(MultiplE, EntryPointsOfPrompts) {
  EXPECT_EQ(multipl_e_entry_point("rust", "/// x (y)\nfn is_it(a: &str) -> Vec<i64> {\n"), "is_it");
  EXPECT_EQ(multipl_e_entry_point("go", "// f(x)\nfunc has_it(a []int) bool {\n"), "has_it");
  EXPECT_EQ(multipl_e_entry_point("typescript", "function pick(a: number[]): number {\n"), "pick");
  EXPECT_EQ(multipl_e_entry_point("cpp", "bool f(std::vector<float> a, float t) {\n"), "f");
  EXPECT_EQ(multipl_e_entry_point("cpp", "no prompt"), "");
}

}  // namespace
}  // namespace tinyarms::eval
