// The Python code an answer gives, and what the question says it must do: its own doctests, assert
// lines and "f(2) returns 4".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::signals {

// The Python blocks of an answer (or all of it, where it has no fences and parses), with the
// imports that the question's own code begins with. Empty where there is no Python.
std::string python_of(std::string_view answer, std::string_view question);

struct Example {
  std::string call;      // "add(2, 3)"
  std::string expected;  // "5"; empty for a statement of its own
  std::string statement;  // "assert add(2, 3) == 5", where it was one
};

// At most `most`, each once, in the order of the question. They are text of a stranger: run them in
// the sandbox only.
std::vector<Example> examples_of(std::string_view question, size_t most = 8);

// Python that raises unless the example holds: equal by value, or by repr where the expected text
// is no literal; floats to six digits.
std::string test_of(const Example& example);

}  // namespace tinyarms::signals
