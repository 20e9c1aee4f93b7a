// From what a model wrote to the code it meant. Deterministic; in this order:
//
// 1. Fenced blocks (an unclosed last one runs to the end). Of several, the first that defines what
//    was asked for; else the first in the language or without one; else the first. A text whose
//    first fence closes something (it begins with code: the question had opened the block) counts
//    what stands before that fence as a block.
// 2. Without fences: everything, if it parses and defines what was asked for; else from the first
//    line that can begin code to the line before prose begins again.
// 3. Nothing of that: no code, an empty string.
//
// In Python, statements at top level that only try the code out (assert, print, an
// `if __name__ == …` block, a bare call) are dropped, as other harnesses drop them.
#pragma once

#include <string>
#include <string_view>

namespace tinyarms::eval {

struct CodeQuestion {
  std::string_view language;     // "python", "cpp", … as rules/code.h names them
  std::string_view entry_point;  // the function asked for; empty where a whole program is
};

std::string extract_code(std::string_view answer, const CodeQuestion& question);

// Whether the code defines a function of that name (a class where the language has those only).
bool defines(std::string_view code, const CodeQuestion& question);

// Python without the statements at top level that only try it out.
std::string without_trials(std::string_view python);

}  // namespace tinyarms::eval
