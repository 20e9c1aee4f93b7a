#include "eval/tasks/multipl_e_program.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>
#include <vector>

#include "eval/code_answer.h"

namespace tinyarms::eval {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

// Java programs of MultiPL-E use org.javatuples; these few classes stand in for that library.
sandbox::SourceFile tuple_class(std::string_view name, size_t size) {
  std::string parameters, fields, takes, sets, gives, compares, text;
  for (size_t i = 0; i < size; ++i) {
    const std::string comma = i == 0 ? "" : ", ";
    parameters += fmt::format("{}T{}", comma, i);
    fields += fmt::format("  private final T{0} value{0};\n", i);
    takes += fmt::format("{0}T{1} value{1}", comma, i);
    sets += fmt::format("    this.value{0} = value{0};\n", i);
    gives += fmt::format("  public T{0} getValue{0}() {{ return value{0}; }}\n", i);
    compares += fmt::format(" && java.util.Objects.equals(value{0}, that.value{0})", i);
    text += fmt::format("{}value{}", i == 0 ? "" : " + \", \" + ", i);
  }
  std::string arguments, wildcards;
  for (size_t i = 0; i < size; ++i) {
    arguments += fmt::format("{}value{}", i == 0 ? "" : ", ", i);
    wildcards += i == 0 ? "?" : ", ?";
  }
  return {fmt::format("org/javatuples/{}.java", name),
          fmt::format("package org.javatuples;\npublic final class {0}<{1}> {{\n{2}"
                      "  public {0}({3}) {{\n{4}  }}\n"
                      "  public static <{1}> {0}<{1}> with({3}) {{ return new {0}<>({5}); }}\n{6}"
                      "  @Override public boolean equals(Object other) {{\n"
                      "    if (!(other instanceof {0})) return false;\n"
                      "    {0}<{7}> that = ({0}<{7}>) other;\n    return true{8};\n  }}\n"
                      "  @Override public int hashCode() {{"
                      " return java.util.Objects.hash({5}); }}\n"
                      "  @Override public String toString() {{ return \"[\" + {9} + \"]\"; }}\n"
                      "}}\n",
                      name, parameters, fields, takes, sets, arguments, gives, wildcards, compares,
                      text)};
}

// Those that the program names, and one more, so that there is a package to import.
std::vector<sandbox::SourceFile> java_tuples(std::string_view program) {
  std::vector<sandbox::SourceFile> files = {tuple_class("Unit", 1)};
  size_t size = 2;
  for (const char* name : {"Pair", "Triplet", "Quartet", "Quintet", "Sextet"}) {
    if (program.find(name) != std::string_view::npos) files.push_back(tuple_class(name, size));
    ++size;
  }
  return files;
}

// The prompt's lines that import, include or open a package.
std::string imports_of(std::string_view prompt) {
  static const re2::RE2 kImport(
      R"((?m)^(#include.*|using namespace .*|import .*|package .*|use .*|const .*require\(.*)$)");
  std::string imports, line;
  re2::StringPiece rest(prompt.data(), prompt.size());
  while (re2::RE2::FindAndConsume(&rest, kImport, &line)) imports += line + "\n";
  return imports;
}

// Go wants each import once and at the top: those of both texts, the package of the first, and
// the second's code.
std::string go_program(std::string_view prompt, std::string_view answer) {
  static const re2::RE2 kBlock(R"((?ms)^import\s*\((.*?)\))");
  static const re2::RE2 kSingle(R"((?m)^import\s+([\w.]*\s*"[^"]+"))");
  static const re2::RE2 kPath(R"(([\w.]*[ \t]*"[^"]+"))");
  static const re2::RE2 kPackage(R"((?m)^(package .*)$)");
  std::vector<std::string> imports;
  const auto add_imports = [&](std::string_view text) {
    for (const re2::RE2* form : {&kBlock, &kSingle}) {
      re2::StringPiece rest(text.data(), text.size());
      std::string found;
      while (re2::RE2::FindAndConsume(&rest, *form, &found)) {
        re2::StringPiece paths(found);
        std::string path;
        while (re2::RE2::FindAndConsume(&paths, kPath, &path)) {
          if (std::find(imports.begin(), imports.end(), path) == imports.end()) {
            imports.push_back(path);
          }
        }
      }
    }
  };
  add_imports(prompt);
  add_imports(answer);
  std::string package = "package main";
  re2::RE2::PartialMatch(re2::StringPiece(prompt.data(), prompt.size()), kPackage, &package);
  std::string code(answer);
  for (const re2::RE2* head : {&kBlock, &kSingle, &kPackage}) {
    re2::RE2::GlobalReplace(&code, *head, "");
  }
  return fmt::format("{}\n\nimport (\n\t{}\n)\n{}", package, fmt::join(imports, "\n\t"), code);
}

// From `begin`, the position after the brace that closes the first one opened; strings and
// comments are not looked into, which code inside of a fence rarely needs.
size_t after_block(std::string_view code, size_t begin) {
  int depth = 0;
  for (size_t i = code.find('{', begin); i < code.size(); ++i) {
    if (code[i] == '{') ++depth;
    if (code[i] == '}' && --depth == 0) return i + 1;
  }
  return code.size();
}

// Without the function of that form, e.g. the model's own main().
std::string without_function(std::string code, const re2::RE2& head) {
  re2::StringPiece match;
  if (!head.Match(code, 0, code.size(), re2::RE2::UNANCHORED, &match, 1)) return code;
  const size_t begin = static_cast<size_t>(match.data() - code.data());
  return code.erase(begin, after_block(code, begin) - begin);
}

// What stands between the braces of the first class.
std::string body_of_class(std::string_view code) {
  const size_t named = code.find("class ");
  const size_t open = code.find('{', named);
  if (named == std::string_view::npos || open == std::string_view::npos) return std::string(code);
  const size_t end = after_block(code, named);
  return std::string(code.substr(open + 1, end - open - 2));
}

// The tests without the brace that was to close the function.
std::string_view after_closing_brace(std::string_view tests) {
  const size_t at = tests.find_first_not_of(kSpace);
  return at != std::string_view::npos && tests[at] == '}' ? tests.substr(at + 1) : tests;
}

// A statement that prints the mark.
std::string print_statement(std::string_view language, std::string_view mark) {
  if (language == "cpp") return fmt::format("std::puts(\"{}\");", mark);
  if (language == "java") return fmt::format("System.out.println(\"{}\");", mark);
  if (language == "rust") return fmt::format("println!(\"{}\");", mark);
  return fmt::format("console.log(\"{}\");", mark);
}

// Puts the statement at the end of main(), or of the file where statements stand there.
std::string with_mark(std::string program, std::string_view language, std::string_view mark) {
  const std::string statement = "\n" + print_statement(language, mark) + "\n";
  if (language == "javascript" || language == "typescript") return program + statement;
  size_t closing = program.rfind('}');
  if (language == "java" && closing != std::string::npos && closing > 0) {
    closing = program.rfind('}', closing - 1);
  }
  if (closing != std::string::npos) program.insert(closing, statement);
  return language == "cpp" ? "#include <cstdio>\n" + program : program;
}

}  // namespace

std::string multipl_e_entry_point(std::string_view language, std::string_view prompt) {
  static const re2::RE2 kCalled(R"(([A-Za-z_]\w*)\s*\([^()]*(\([^()]*\)[^()]*)*\)[^()]*\{\s*$)");
  static const re2::RE2 kRust(R"(\bfn\s+(\w+)[^{]*\{\s*$)");
  std::string name;
  const re2::StringPiece text(prompt.data(), prompt.size());
  re2::RE2::PartialMatch(text, language == "rust" ? kRust : kCalled, &name);
  return name;
}

std::string completed(const MultiplERow& row, std::string_view completion) {
  return fmt::format("{}{}\n{}", row.prompt, completion, row.tests);
}

std::optional<std::string> assembled(const MultiplERow& row, std::string_view code) {
  static const re2::RE2 kCppMain(R"((?m)^(int|auto|void)\s+main\s*\()");
  static const re2::RE2 kJavaMain(R"(public\s+static\s+void\s+main\s*\()");
  static const re2::RE2 kRustMain(R"((?m)^fn\s+main\s*\()");
  if (row.entry_point.empty() || !defines(code, {row.language, row.entry_point})) {
    return std::nullopt;
  }
  const std::string imports = imports_of(row.prompt);
  std::string text(code);
  if (row.language == "java") {
    const std::string body = without_function(body_of_class(text), kJavaMain);
    return fmt::format("{}{}class Problem {{\n{}\n{}", imports, imports_of(text), body,
                       after_closing_brace(row.tests));
  }
  if (row.language == "go") {
    return fmt::format("{}\n{}", go_program(row.prompt, code), after_closing_brace(row.tests));
  }
  if (row.language == "cpp") text = without_function(text, kCppMain);
  if (row.language == "rust") text = without_function(text, kRustMain);
  return fmt::format("{}{}\n{}", imports, text, after_closing_brace(row.tests));
}

Result<sandbox::Outcome> run_to_the_end(sandbox::Judge& judge, std::string_view language,
                                        std::string program, std::string_view mark) {
  sandbox::Program run{.language = std::string(language), .source = std::move(program)};
  // Go's own test driver says how each test ended.
  const bool marked = language != "go";
  if (marked) run.source = with_mark(std::move(run.source), language, mark);
  if (language == "java") run.files = java_tuples(run.source);
  auto outcome = judge.run(run);
  if (!outcome || !outcome->passed()) return outcome;
  const std::string last = marked ? std::string(mark) + "\n" : "PASS\n";
  if (outcome->output.size() < last.size() ||
      outcome->output.substr(outcome->output.size() - last.size()) != last) {
    outcome->exit_code = 1;
    outcome->errors += "\nit ended before its tests did";
  }
  return outcome;
}

}  // namespace tinyarms::eval
