// How a program in a language is compiled and run inside a sandbox, and whether that language's
// tools are installed. Only tools under /usr count: nothing else is visible inside.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sandbox/judge.h"
#include "sandbox/limits.h"

namespace tinyarms::sandbox {

struct Step {
  bool compiles = false;  // otherwise it is the program itself
  std::vector<std::string> arguments;
};

struct Recipe {
  std::vector<SourceFile> files;  // in /tmp
  std::vector<Step> steps;        // the last one runs the program
};

// Every language there is a recipe for, but Python, which needs none.
std::vector<std::string_view> compiled_languages();

// Errors: Unsupported (unknown language, or its tools are not installed; says how to get them).
Result<void> toolchain_available(std::string_view language);

// Errors: as above; InvalidArgument (a file name that leads out of the folder).
Result<Recipe> recipe_for(const Program& program, const Limits& limits);

}  // namespace tinyarms::sandbox
