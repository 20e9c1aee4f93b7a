// The user's own questions, whose answers were called bad, as a task: those that carry examples of
// what they want (doctests, asserts, "f(2) returns 4"), by which another answer can be judged.
//
// They were chosen because an answer failed, mostly one of the model in use: nobody may win by
// them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eval/task.h"

namespace tinyarms::eval {

inline constexpr std::string_view kOwnFailures = "own_failures";  // the task's name, and its group

struct OwnQuestion {
  std::string id;  // of the decision; unique
  std::string text;
};

bool carries_examples(std::string_view question);

// Each of `questions` carries examples, all of which an answer's code must keep to. `files` and
// `folder` mean nothing to it.
std::unique_ptr<Task> make_own_failures(std::vector<OwnQuestion> questions);

}  // namespace tinyarms::eval
