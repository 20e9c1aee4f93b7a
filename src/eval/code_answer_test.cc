#include "eval/code_answer.h"

#include <gtest/gtest.h>

namespace tinyarms::eval {
namespace {

std::string python(std::string_view answer, std::string_view entry_point = "add") {
  return extract_code(answer, {"python", entry_point});
}

constexpr std::string_view kAdd = "def add(a, b):\n    return a + b\n";

TEST(CodeAnswer, OneBlockInProse) {
  EXPECT_EQ(python("Sure! Here it is:\n\n```python\n" + std::string(kAdd) + "```\n\nIt adds."),
            kAdd);
  EXPECT_EQ(python("~~~py\n" + std::string(kAdd) + "~~~"), kAdd);
}

TEST(CodeAnswer, TheBlockThatDefinesTheFunctionWins) {
  const std::string answer = "Install:\n```bash\npip install x\n```\nUse:\n```python\nadd(1, 2)\n"
                             "```\nCode:\n```python\n" + std::string(kAdd) + "```\nOr:\n"
                             "```python\ndef add(a, b): return b + a\n```";
  EXPECT_EQ(python(answer), kAdd);
}

TEST(CodeAnswer, NoBlockDefinesIt) {
  // A body alone: the task puts the prompt before it.
  EXPECT_EQ(python("```python\n    return a + b\n```"), "    return a + b\n");
  EXPECT_EQ(python("```bash\nls\n```\n```python\n    return 1\n```"), "    return 1\n");
}

TEST(CodeAnswer, AnUnclosedFenceRunsToTheEnd) {
  EXPECT_EQ(python("Here:\n```python\n" + std::string(kAdd)), kAdd);
}

TEST(CodeAnswer, AFenceThatOnlyClosesEndsTheCodeBeforeIt) {
  EXPECT_EQ(python(std::string(kAdd) + "```\nThis adds two numbers."), kAdd);
}

TEST(CodeAnswer, CodeWithoutFences) {
  EXPECT_EQ(python(kAdd), kAdd);
  EXPECT_EQ(python("LIMIT = 3\n" + std::string(kAdd)), "LIMIT = 3\n" + std::string(kAdd));
  EXPECT_EQ(python("Here is the code:\n\n" + std::string(kAdd) + "This function adds them."),
            kAdd);
}

TEST(CodeAnswer, NoCodeAtAll) {
  EXPECT_EQ(python(""), "");
  EXPECT_EQ(python("I cannot do that, sorry."), "");
  EXPECT_EQ(python("```python\n\n```"), "");
}

TEST(CodeAnswer, TrialsAtTopLevelAreDropped) {
  const std::string code = "import sys\nsys.setrecursionlimit(9999)\n" + std::string(kAdd);
  EXPECT_EQ(python("```python\n" + code +
                   "assert add(1, 2) == 4\nprint(add(\n  1,\n  2,\n))\n"
                   "if __name__ == '__main__':\n    main()\n```"),
            code);
  // Text inside a string is no statement.
  const std::string quoted =
      "def add(a, b):\n    \"\"\"\nprint(1)\nassert x\n    \"\"\"\n    return 1\n";
  EXPECT_EQ(python("```python\n" + quoted + "```"), quoted);
}

TEST(CodeAnswer, DefinitionsInEveryLanguage) {
  EXPECT_TRUE(defines("async def add(a):", {"python", "add"}));
  EXPECT_TRUE(defines("add = lambda a, b: a + b", {"python", "add"}));
  EXPECT_FALSE(defines("add == 3", {"python", "add"}));
  EXPECT_FALSE(defines("x = add(1)\n", {"python", "add"}));
  EXPECT_TRUE(defines("std::vector<int> add(int a) {", {"cpp", "add"}));
  EXPECT_FALSE(defines("  return add(1);", {"cpp", "sub"}));
  EXPECT_TRUE(defines("    public static long add(long a) {", {"java", "add"}));
  EXPECT_TRUE(defines("const add = (a, b) => a + b", {"javascript", "add"}));
  EXPECT_TRUE(defines("function add(a: number): number {", {"typescript", "add"}));
  EXPECT_TRUE(defines("func add(a int) int {", {"go", "add"}));
  EXPECT_TRUE(defines("fn add(a: i64) -> i64 {", {"rust", "add"}));
}

TEST(CodeAnswer, AnyBytesAreTakenCalmly) {
  for (const char* odd :
       {"```", "```\n```\n```", "\xff\xfe", "```python", "def add(", "'''", "~~~"}) {
    (void)python(odd);
    EXPECT_LE(python(odd).size(), std::string_view(odd).size() + 1) << odd;
  }
}

}  // namespace
}  // namespace tinyarms::eval
