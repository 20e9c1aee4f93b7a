// Two models' answers to one question, held against each other: code by what it does in the sandbox
// on the question's examples, or on made-up arguments; word problems by their number, multiple
// choice by its letter, the rest by words.
#pragma once

#include "cascade/ensemble.h"
#include "sandbox/judge.h"

namespace tinyarms::tiers {

// `judge` outlives it; null: code is compared by its text.
cascade::CompareAnswers compare_answers(sandbox::Judge* judge);

}  // namespace tinyarms::tiers
