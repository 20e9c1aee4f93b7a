#include "rules/outline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

namespace tinyarms::rules {
namespace {

using testing::ElementsAre;

// "Class.method 3-5"
std::vector<std::string> outlined(std::string_view code, std::string_view language) {
  std::vector<std::string> lines;
  const auto items = outline(code, language);
  if (!items) return {"no outline"};
  for (const OutlineItem& item : *items) {
    lines.push_back(fmt::format("{} {}-{}", qualified_name(item, language), item.first_line,
                                item.last_line));
  }
  return lines;
}

TEST(Outline, PythonWithDecoratorsMethodsAndComments) {
  EXPECT_THAT(outlined("import os\n"
                       "\n"
                       "# Reads it.\n"
                       "@cached\n"
                       "def read(path):\n"
                       "    return open(path)\n"
                       "\n"
                       "class Box:\n"
                       "    size = 1\n"
                       "    def put(self, x):\n"
                       "        def inner(): pass\n"
                       "        self.x = x\n",
                       "python"),
              ElementsAre("read 3-6", "Box 8-12", "Box.put 10-12"));
}

TEST(Outline, CppWithNamespacesTemplatesAndQualifiedNames) {
  EXPECT_THAT(outlined("#include <a>\n"
                       "namespace a::b {\n"
                       "struct Forward;\n"
                       "template <class T>\n"
                       "T* twice(T* x) {\n"
                       "  return x;\n"
                       "}\n"
                       "class Box {\n"
                       " public:\n"
                       "  int size() const { return 1; }\n"
                       "};\n"
                       "const std::string& Box::name() const {\n"
                       "  return n;\n"
                       "}\n"
                       "}\n",
                       "cpp"),
              ElementsAre("a::b 2-15", "a::b::twice 4-7", "a::b::Box 8-11",
                          "a::b::Box::size 10-10", "a::b::Box::name 12-14"));
}

TEST(Outline, OtherLanguages) {
  EXPECT_THAT(outlined("export const add = (a, b) => {\n  return a + b;\n};\nconst n = 3;\n"
                       "export default class Shop {\n  sell() { return 1; }\n}\n",
                       "javascript"),
              ElementsAre("add 1-3", "Shop 5-7", "Shop.sell 6-6"));
  EXPECT_THAT(outlined("impl Stack {\n    /// Adds.\n    fn push(&mut self) {}\n}\n", "rust"),
              ElementsAre("Stack 1-4", "Stack::push 2-3"));
  EXPECT_THAT(outlined("package a\n\nfunc (s *Server) Serve() error {\n\treturn nil\n}\n"
                       "type Server struct {\n\tn int\n}\n",
                       "go"),
              ElementsAre("Serve 3-5", "Server 6-8"));
  EXPECT_THAT(outlined("class A {\n  int f() { return 1; }\n}\n", "java"),
              ElementsAre("A 1-3", "A.f 2-2"));
  EXPECT_THAT(outlined("{\"a\": 1}", "json"), ElementsAre("no outline"));
}

TEST(Outline, BrokenCodeStillHasWhatCanBeSeen) {
  EXPECT_THAT(outlined("def a():\n    pass\n\ndef b(:\n", "python"),
              testing::Contains("a 1-2"));
  EXPECT_THAT(outlined("", "python"), ElementsAre());
}

}  // namespace
}  // namespace tinyarms::rules
