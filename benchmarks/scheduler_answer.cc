#include "scheduler_answer.h"

#include <chrono>

namespace tinyarms::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kEndToken = 2;  // <|im_end|> of SmolLM2

}  // namespace

Result<SchedulerAnswer> ask_scheduler(engine::Scheduler& scheduler,
                                      std::vector<engine::ChatMessage> messages, int tokens) {
  engine::CompletionRequest request;
  request.messages = std::move(messages);
  request.tokens_max = tokens;
  request.sampling.logit_bias = {{kEndToken, -1000.0f}};
  request.top_logprobs = 0;  // an event for each token, whole characters or not
  const auto start = SteadyClock::now();
  auto stream = scheduler.submit(std::move(request));
  if (!stream) return stream.error();
  SchedulerAnswer answer;
  while (const auto event = (*stream)->next()) {
    const double now = std::chrono::duration<double>(SteadyClock::now() - start).count();
    answer.arrivals.insert(answer.arrivals.end(), event->tokens.size(), now);
  }
  auto completion = (*stream)->result();
  if (!completion) return completion.error();
  if (answer.arrivals.empty()) return Error{ErrorCode::Internal, "gave no token", "scheduler", ""};
  answer.prompt_tokens = completion->prompt_tokens;
  answer.cached_tokens = completion->cached_tokens;
  return answer;
}

}  // namespace tinyarms::bench
