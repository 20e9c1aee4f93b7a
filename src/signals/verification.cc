#include "signals/verification.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>

#include "base/utf8.h"

namespace tinyarms::signals {
namespace {

constexpr size_t kTextBytesMax = 6000;  // of question and of answer: the context must hold both

std::string_view clipped(std::string_view text) {
  if (text.size() <= kTextBytesMax) return text;
  const std::string_view head = text.substr(0, kTextBytesMax);
  return head.substr(0, complete_utf8_prefix(head));
}

}  // namespace

Result<std::optional<double>> probability_of_yes(const Occasion& occasion, const AskOptions& ask) {
  if (!ask) return std::optional<double>();
  const std::string question = fmt::format(
      "Question:\n{}\n\nProposed answer:\n{}\n\nIs the proposed answer correct? "
      "Reply with one word, Yes or No.",
      clipped(occasion.request.question()), clipped(occasion.answer));
  static const std::array<std::string, 2> kReplies = {"Yes", "No"};
  auto logprobs = ask(question, kReplies);
  if (!logprobs) return logprobs.error();
  if (logprobs->size() != kReplies.size()) return std::optional<double>();
  const double difference = (*logprobs)[0] - (*logprobs)[1];
  return std::optional(1 / (1 + std::exp(-difference)));
}

}  // namespace tinyarms::signals
