// When two questions are the same question: the exact cache's idea of it, deliberately narrow,
// because code is full of meaning that prose folds away. A question that is merely alike is the
// semantic lookup's business.
//
// Folded, outside code (`…` and ```…``` spans) and double quotes:
//   - a run of Unicode white space within a line becomes one space; at the end of a line, none;
//   - CRLF and CR become LF, blank lines vanish, white space around the whole question vanishes;
//   - the first word's initial capital, where the rest of that word is lower-case ("Write");
//   - final `.`, `?`, `!`, `…` and their full-width forms after a word of three or more letters.
// Kept: case everywhere else (`ls -R` is not `ls -r`), the indentation of every line but the first
// (Python), `5!`, `n!`, `foo()?`, and everything inside code and double quotes.
#pragma once

#include <string>
#include <string_view>

namespace tinyarms::storage {

// Any bytes are taken; invalid UTF-8 passes through unchanged. Idempotent.
std::string normalise_question(std::string_view question);

}  // namespace tinyarms::storage
