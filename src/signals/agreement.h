// Whether two answers to one question say the same: code by what it does on the question's example
// inputs (or by its text, where there are none), word problems by their final number, multiple
// choice by its letter, the rest by their words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sandbox/judge.h"

namespace tinyarms::signals {

// An answer boiled down to what is compared.
struct AnswerKey {
  enum class Kind { Behaviour, Code, Choice, Number, Words };
  Kind kind = Kind::Words;
  std::string text;
};

// `judge` may be null: then code is compared by its text. Errors: the judge's.
Result<AnswerKey> answer_key(std::string_view question, std::string_view answer,
                             sandbox::Judge* judge);

// 1 where both are of one kind and equal, 0 where they differ; of words, the share in common.
double agreement(const AnswerKey& a, const AnswerKey& b);

// The number an answer ends in: after "####", in \boxed{}, else the last one. Without signs of
// currency, thousands and trailing zeros; empty where there is none.
std::string final_number(std::string_view answer);

// The option that an answer to a question with lines "A. …", "B) …" chooses: at its beginning, or
// after "answer is"; empty where there are no such lines, or none is named.
std::string chosen_option(std::string_view question, std::string_view answer);

}  // namespace tinyarms::signals
