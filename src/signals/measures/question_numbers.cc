// How many numbers the question juggles: in word problems, about the steps that are needed.
#include <string>

#include "signals/registry.h"

namespace tinyarms::signals {
namespace {

Result<std::optional<double>> measure_question_numbers(const Occasion& occasion,
                                                       const Instruments&) {
  double numbers = 0;
  bool inside = false;
  for (const char c : occasion.request.question()) {
    const bool digit = c >= '0' && c <= '9';
    numbers += digit && !inside ? 1 : 0;
    inside = digit || (inside && (c == '.' || c == ','));
  }
  return std::optional(numbers);
}

}  // namespace

const Signal kQuestionNumbers = {.name = "question_numbers",
                                 .meaning = "numbers in the question",
                                 .low = 0,
                                 .high = 1e6,
                                 .cost = Cost::Text,
                                 .measure = measure_question_numbers};

}  // namespace tinyarms::signals
