// A question taken apart: the prose that rules are held against, and the code it is about.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rules/code.h"

namespace tinyarms::questions {

struct Question {
  std::string prose;  // normalised; without the code where there is some
  // A fence, inline code, or what follows the first line or ": ".
  std::optional<rules::CodeBlock> code;
  std::string typed = {};  // as it was asked, where there is no code
};

// White space to single spaces, politeness and final punctuation off: "Hi, could you please tell
// me what 2 + 2 is?" → "what 2 + 2 is". Case is kept.
std::string normalise_prose(std::string_view text);

// The question as one without code (nothing where it has a fenced block).
std::optional<Question> read_plain_question(std::string_view text);
// The question as one about one piece of code (nothing where there is none, or more than one).
std::optional<Question> read_code_question(std::string_view text);

}  // namespace tinyarms::questions
