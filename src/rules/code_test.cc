#include "rules/code.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "rules/language.h"

namespace tinyarms::rules {
namespace {

std::string repeat(std::string_view piece, size_t times) {
  std::string text;
  text.reserve(piece.size() * times);
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

struct CodeCase {
  const char* language;
  const char* good;
  const char* broken;
};

constexpr CodeCase kCases[] = {
    {"python", "def f(x):\n    return [y for y in x if y]\n", "def f(x)\n    return x\n"},
    {"python", "try:\n    import os\nexcept OSError as e:\n    raise\n", "for x in y:\nprint(x)\n"},
    {"javascript", "const f = async (x) => { await g(`${x}`); };\n", "function f( { return 1; \n"},
    {"c", "#include <stdio.h>\nint main(void) { printf(\"%d\\n\", 1); return 0; }\n",
     "int main(void) { return 0;\n"},
    {"cpp", "template <typename T> T twice(T x) { return x + x; }\n",
     "class A { public int };;(\n"},
    {"go", "package main\n\nfunc main() {\n\tx := 1\n\t_ = x\n}\n", "func main( {\n}\n"},
    {"rust", "fn main() { let mut v = vec![1, 2]; v.push(3); }\n", "fn main() { let x = ; }\n"},
    {"java", "class A { int f(int x) { return x + 1; } }\n", "class A { int f(int x { } }\n"},
    {"bash", "if [ -f x ]; then\n  echo \"$1\"\nfi\n", "if [ -f x ]; then\n  echo hi\n"},
    {"csharp", "class A { int F(int x) { return x + 1; } }\n", "class A { int F(int x { }\n"},
    {"css", "a:hover { color: red; }\n", "a { color: ; } }\n"},
    {"html", "<p class=\"a\">x</p>\n", "<p <</p\n"},
    {"kotlin", "fun f(x: Int): Int { return x + 1 }\n", "fun f(x: Int { return }\n"},
    {"php", "<?php function f($x) { return $x + 1; }\n", "<?php function f($x { return; }\n"},
    {"ruby", "def f(x)\n  x + 1\nend\n", "def f(x\n  x +\n"},
    {"scala", "object A { def f(x: Int): Int = x + 1 }\n", "object A { def f(x: Int = }\n"},
    {"swift", "func f(x: Int) -> Int { return x + 1 }\n", "func f(x: Int -> { return\n"},
    {"tsx", "const f = (x: number) => <b>{x}</b>;\n", "const f = (x: ) => <b>{x}</b;\n"},
    {"typescript", "function f(x: number): number { return x; }\n", "function f(x: ) { return;\n"},
    {"yaml", "a: [1, 2]\nb: {c: d}\n", "a: [1, 2\nb: }\n"},
    {"json", "{\"a\": [1, 2.5e3, null, \"\\u00e9\"]}\n", "{\"a\": [1, 2,}\n"},
};

TEST(Parses, TellsGoodFromBrokenCodeInEveryLanguage) {
  for (const CodeCase& c : kCases) {
    EXPECT_EQ(parses(c.good, c.language), true) << c.language << "\n" << c.good;
    EXPECT_EQ(parses(c.broken, c.language), false) << c.language << "\n" << c.broken;
  }
  for (const Language& language : languages()) {
    const bool covered = std::any_of(std::begin(kCases), std::end(kCases), [&](const CodeCase& c) {
      return c.language == language.name;
    });
    EXPECT_TRUE(covered) << language.name;
  }
}

TEST(Parses, IsStricterThanTheGrammarForPython) {
  EXPECT_EQ(parses("print 'hello'\n", "python"), false);
  EXPECT_EQ(parses("exec 'x = 1'\n", "python"), false);
  EXPECT_EQ(parses("def f():\n", "python"), false);
  EXPECT_EQ(parses("if x:\n    # only a comment\n", "python"), false);
  EXPECT_EQ(parses("print('hello')\n", "python"), true);
}

TEST(Parses, IsStricterThanTheGrammarForJson) {
  for (const char* wrong : {"", "{} {}", "{\"a\": 01}", "[1, .5]", "// note\n{}", "{'a': 1}",
                            "[1,]", "\"\\x\"", "\"a\tb\"", "[1.]", "NaN", "[+1]", "\"\\u12g4\""}) {
    EXPECT_EQ(parses(wrong, "json"), false) << wrong;
  }
  for (const char* right : {"1", "null", "\"\"", "[]", "-0.5E-7", " {\"a\\n\": {}} \n", "0"}) {
    EXPECT_EQ(parses(right, "json"), true) << right;
  }
}

TEST(Parses, HasNoVerdictWithoutAGrammar) {
  EXPECT_EQ(parses("x", "cobol"), std::nullopt);
  EXPECT_EQ(parses("x", ""), std::nullopt);
  EXPECT_EQ(parses(std::string(kCodeBytesMax + 1, ' '), "python"), std::nullopt);
}

TEST(Parses, SurvivesHostileCode) {
  std::string noise;
  uint32_t state = 12345;
  for (int i = 0; i < 5000; ++i) {
    state = state * 1664525u + 1013904223u;
    noise += static_cast<char>(state >> 24);
  }
  for (const Language& known : languages()) {
    const std::string_view language = known.name;
    for (const char* open : {"[", "{", "("}) {
      // Brackets are mere text in these.
      if (language == "html" || language == "php" || language == "yaml") continue;
      EXPECT_NE(parses(repeat(open, 100'000), language), true) << language << " " << open;
    }
    EXPECT_NE(parses(noise, language), true) << language;
    // Each of these took gigabytes in one language or another before the parser was bounded.
    for (const char* piece : {"a<", "return ->", "async \n=>", "if (a) a*await /*"}) {
      const std::string code = repeat(piece, 20'000 / std::string_view(piece).size());
      EXPECT_EQ(parses(code, language), parses(code, language)) << language << " " << piece;
    }
  }
}

TEST(Parses, StaysUsableAfterAParseWasBrokenOff) {
  EXPECT_EQ(parses(repeat("return ->", 3000), "rust"), std::nullopt);
  EXPECT_EQ(parses(repeat("a<", 100'000), "java"), std::nullopt);
  EXPECT_EQ(parses("fn main() {}", "rust"), true);
  EXPECT_EQ(parses(repeat("[", 800) + repeat("]", 800), "json"), true);
}

TEST(ExtractCodeBlocks, FindsFences) {
  const auto blocks = extract_code_blocks(
      "Look:\n```Python title=\"x\"\nprint(1)\n```\nand\n~~~~ c++\na\n~~~\nb\n~~~~~\nend\n");
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].language, "python");
  EXPECT_EQ(blocks[0].code, "print(1)\n");
  EXPECT_EQ(blocks[1].language, "cpp");
  EXPECT_EQ(blocks[1].code, "a\n~~~\nb\n");
}

TEST(ExtractCodeBlocks, KeepsAnUnclosedLastBlock) {
  const auto blocks = extract_code_blocks("```\nx = 1");
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0].language, "");
  EXPECT_EQ(blocks[0].code, "x = 1\n");
}

TEST(ExtractCodeBlocks, KnowsTheEdgesOfAFence) {
  EXPECT_TRUE(extract_code_blocks("no code").empty());
  EXPECT_TRUE(extract_code_blocks("").empty());
  EXPECT_TRUE(extract_code_blocks("``x``\n`y`\n").empty());
  EXPECT_TRUE(extract_code_blocks("``` inline ``` code\n").empty());
  EXPECT_TRUE(extract_code_blocks("    ```\n    x\n").empty()) << "an indented code block";
  const auto indented = extract_code_blocks("  ```js\n    a\n  b\n c\n  ```\n");
  ASSERT_EQ(indented.size(), 1u);
  EXPECT_EQ(indented[0].language, "javascript");
  EXPECT_EQ(indented[0].code, "  a\nb\nc\n");
  const auto crlf = extract_code_blocks("```py\r\nx\r\n```\r\nafter\r\n");
  ASSERT_EQ(crlf.size(), 1u);
  EXPECT_EQ(crlf[0].code, "x\r\n");
  const auto info_on_end = extract_code_blocks("```\na\n```py\nb\n```\n");
  ASSERT_EQ(info_on_end.size(), 1u) << "a fence with an info string does not close";
  const auto braces =
      extract_code_blocks("```{.rust .numberLines}\nx\n```\n```go,ignore\ny\n```\n");
  ASSERT_EQ(braces.size(), 2u);
  EXPECT_EQ(braces[0].language, "rust");
  EXPECT_EQ(braces[1].language, "go");
}

TEST(GuessLanguage, NamesTheLanguageItIsSureOf) {
  const struct {
    const char* language;
    const char* code;
  } cases[] = {
      {"python", "def add(a, b):\n    return a + b\n"},
      {"python", "for i in range(3):\n    print(i)\n"},
      {"python", "squares = [x * x for x in range(10)]\n"},
      {"javascript", "const add = (a, b) => a + b;\nconsole.log(add(1, 2));\n"},
      {"javascript", "function add(a, b) {\n  return a + b;\n}\n"},
      {"c", "#include <stdio.h>\nint main(void) { printf(\"hi\\n\"); return 0; }\n"},
      {"cpp", "#include <stdio.h>\n#include <vector>\nint main() { std::vector<int> v; }\n"},
      {"cpp", "#include <iostream>\nint main() { std::cout << 1; }\n"},
      {"go", "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(\"hi\")\n}\n"},
      {"rust", "fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n"},
      {"java", "public class A {\n  public static void main(String[] args) {\n"
               "    System.out.println(1);\n  }\n}\n"},
      {"bash", "for f in *.txt; do\n  echo \"$f\"\ndone\n"},
      {"json", "{\"name\": \"x\", \"n\": 1}\n"},
  };
  for (const auto& c : cases) EXPECT_EQ(guess_language(c.code), c.language) << c.code;
}

TEST(GuessLanguage, SaysNothingWhereItIsNotSure) {
  for (const char* code :
       {"", "x = 1", "hello world", "int main() { return 0; }", "[1, 2, 3]", "{}", "f(x)",
        "let x = 5", "var x = 5;", "const X = 5;", "class A extends B {}", "import Foundation",
        "using System;\nclass A { static void Main() { Console.WriteLine(\"x\"); } }",
        "function f($x) { return $x; }", "<?php echo 1; ?>", "puts \"hi\"",
        "public int add(int a, int b) { return a + b; }", "func f() { print(\"x\") }",
        "SELECT * FROM t WHERE a = 1;", "def f(x)\n  x + 1\nend\n", "fun f(x: Int) = x + 1",
        "def add(a, b):\n    return a +\n", "echo hi", "if (x) { y(); }"}) {
    EXPECT_EQ(guess_language(code), std::nullopt) << code;
  }
}

TEST(NormaliseLanguage, KnowsCommonNames) {
  EXPECT_EQ(normalise_language("C++"), "cpp");
  EXPECT_EQ(normalise_language("Py"), "python");
  EXPECT_EQ(normalise_language("sh"), "bash");
  EXPECT_EQ(normalise_language("Haskell"), "haskell");
  EXPECT_EQ(display_language("cpp"), "C++");
  EXPECT_EQ(display_language("haskell"), "haskell");
}

}  // namespace
}  // namespace tinyarms::rules
