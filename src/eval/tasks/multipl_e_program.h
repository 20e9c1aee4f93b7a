// MultiPL-E's programs (Cassano et al. 2022): a prompt, what the model wrote, tests in the same
// file; one form for each language.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sandbox/judge.h"

namespace tinyarms::eval {

struct MultiplERow {
  std::string language;  // as the sandbox names it
  std::string prompt;    // ends inside or before the function's body
  std::string tests;     // begin with what closes the function, where upstream's do
  std::string entry_point;
};

// The program that upstream runs.
std::string completed(const MultiplERow& row, std::string_view completion);

// The same from code that holds the whole function, with or without the prompt's first lines;
// nothing where it does not define the function.
std::optional<std::string> assembled(const MultiplERow& row, std::string_view code);

// The name of the function that a prompt asks for; empty where none is seen.
std::string multipl_e_entry_point(std::string_view language, std::string_view prompt);

// Runs a program as upstream does and requires that it got past its last test: `mark`, which the
// program cannot know, is printed after it. Errors: the judge's.
Result<sandbox::Outcome> run_to_the_end(sandbox::Judge& judge, std::string_view language,
                                        std::string program, std::string_view mark);

}  // namespace tinyarms::eval
