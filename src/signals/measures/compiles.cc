// Whether the answer's code is taken by a compiler: Python's own, or g++, go, rustc where they are
// installed. Stricter than parsing: types, names and imports count.
#include <fmt/format.h>

#include "rules/code.h"
#include "sandbox/judge.h"
#include "signals/registry.h"

namespace tinyarms::signals {
namespace {

// A whole program of it, so that a function alone can be linked. Nothing where it cannot be told.
std::optional<sandbox::Program> program_of(const rules::CodeBlock& block) {
  const bool has_main = block.code.find("main(") != std::string::npos;
  sandbox::Program program{.language = block.language, .source = block.code, .cpu_seconds = 1};
  if (block.language == "python") {
    program.source = "import sys\ncompile(sys.stdin.read(), 'answer', 'exec')\n";
    program.input = block.code;
  } else if (block.language == "cpp") {
    if (!has_main) program.source += "\nint main() { return 0; }\n";
  } else if (block.language == "rust") {
    if (!has_main) program.source += "\nfn main() {}\n";
  } else if (block.language == "go") {
    if (block.code.find("package ") == std::string::npos) {
      program.source = "package main\n" + program.source;
    }
    if (!has_main) program.source += "\nfunc main() {}\n";
  } else {
    return std::nullopt;
  }
  return program;
}

Result<std::optional<double>> measure_compiles(const Occasion& occasion,
                                               const Instruments& instruments) {
  if (instruments.judge == nullptr) return std::optional<double>();
  std::optional<double> all;
  for (const rules::CodeBlock& block : rules::extract_code_blocks(occasion.answer)) {
    const auto program = program_of(block);
    if (!program) continue;
    // A compiler that is not installed is no error: the signal does not apply.
    if (auto there = instruments.judge->available(block.language); !there) continue;
    auto outcome = instruments.judge->run(*program);
    if (!outcome) return outcome.error();
    const bool refused = block.language == "python"
                             ? !outcome->passed()
                             : outcome->end == sandbox::Outcome::End::NotCompiled;
    all = refused ? 0.0 : all.value_or(1.0);
    if (refused) break;
  }
  return all;
}

}  // namespace

const Signal kCompiles = {.name = "compiles",
                          .meaning = "1 where a compiler takes every block of code",
                          .low = 0,
                          .high = 1,
                          .cost = Cost::Program,
                          .measure = measure_compiles};

}  // namespace tinyarms::signals
