// Questions with the kind that each is: what a head is trained and judged on. A file has one JSON
// object a line: {"text": "Where is the config parsed?", "intent": "about-my-code"}. For `text`
// also `prompt` and `question` are understood, for `intent` also `class` and `label`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/embedded_file.h"
#include "base/result.h"

namespace tinyarms::intent {

struct Example {
  std::string text;
  std::string intent;
};

// Hostile until checked. Blank lines are passed over. Errors: InvalidArgument with file and line
// (not JSON, a field missing or empty, a name that is not of letters, digits, `-` and `_`, not
// UTF-8, too long, one text under two intents); no example at all.
Result<std::vector<Example>> parse_examples(std::string_view bytes, const std::string& where);

// Original ones, written for tinyArms: code, general, maths, tools, about-my-code.
std::vector<Example> bundled_examples();

std::vector<EmbeddedFile> bundled_files();  // generated from data/

}  // namespace tinyarms::intent
