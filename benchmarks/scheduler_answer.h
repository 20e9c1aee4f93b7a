// One answer of a scheduler, token by token, for benchmarks.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/scheduler/scheduler.h"
#include "llama_server.h"

namespace tinyarms::bench {

struct SchedulerAnswer {
  Arrivals arrivals;  // of tokens
  int prompt_tokens = 0;
  int cached_tokens = 0;  // of these, not computed again
};

// A greedy answer of exactly `tokens` tokens: SmolLM2's <|im_end|> is never chosen, as llama-server
// ignores it where it is asked to. Errors: those of the scheduler.
Result<SchedulerAnswer> ask_scheduler(engine::Scheduler& scheduler,
                                      std::vector<engine::ChatMessage> messages, int tokens);

}  // namespace tinyarms::bench
