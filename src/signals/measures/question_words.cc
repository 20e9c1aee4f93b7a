// How long the question is: longer ones are harder, says every router that looks at nothing else.
#include <string>

#include "signals/registry.h"

namespace tinyarms::signals {
namespace {

Result<std::optional<double>> measure_question_words(const Occasion& occasion, const Instruments&) {
  double words = 0;
  bool inside = false;
  for (const char c : occasion.request.question()) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    words += !space && !inside ? 1 : 0;
    inside = !space;
  }
  return std::optional(words);
}

}  // namespace

const Signal kQuestionWords = {.name = "question_words",
                               .meaning = "words of the question",
                               .low = 0,
                               .high = 1e6,
                               .cost = Cost::Text,
                               .measure = measure_question_words};

}  // namespace tinyarms::signals
