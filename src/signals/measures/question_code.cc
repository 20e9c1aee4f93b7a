// Whether the question brings code along.
#include <algorithm>
#include <string>

#include "rules/code.h"
#include "signals/registry.h"

namespace tinyarms::signals {
namespace {

Result<std::optional<double>> measure_question_code(const Occasion& occasion, const Instruments&) {
  const std::string& question = occasion.request.question();
  if (question.empty()) return std::optional(0.0);
  double code = 0;
  for (const auto& block : rules::extract_code_blocks(question)) {
    code += static_cast<double>(block.code.size());
  }
  return std::optional(std::min(1.0, code / static_cast<double>(question.size())));
}

}  // namespace

const Signal kQuestionCode = {.name = "question_code",
                              .meaning = "share of the question that is fenced code",
                              .low = 0,
                              .high = 1,
                              .cost = Cost::Text,
                              .measure = measure_question_code};

}  // namespace tinyarms::signals
