// The tests of a LiveCodeBench row: written as JSON, the private ones also packed (base64 of zlib
// of a Python pickle of the JSON text).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::eval {

struct LiveTest {
  std::string input;
  std::string output;
  bool functional = false;  // otherwise by standard input and output
};

// JSON text, or its packed form. Errors: Corrupt (the caller adds the place).
Result<std::vector<LiveTest>> parse_live_tests(std::string_view text);

// Whether what a program printed is what was expected, as upstream compares: line by line without
// surrounding space, numbers by their value.
bool same_live_output(std::string_view printed, std::string_view expected);

}  // namespace tinyarms::eval
