// A request put to a model's scheduler, with everything that may be asked of it: tools, schemas,
// bare texts, bent sampling, token probabilities. What comes is told to the listener as it comes.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cascade/tier.h"
#include "engine/generator.h"
#include "engine/scheduler/completion_stream.h"

namespace tinyarms::tiers {

struct Answered {
  engine::Generation generation;
  std::string stopped_by;
  std::vector<cascade::ToolCall> tool_calls;
  std::vector<cascade::TokenLogprob> logprobs;  // of the tokens that the text is made of
  int cached_tokens = 0;
};

struct Asking {
  const cascade::Request& request;
  cascade::Level level;
  const StopFlag& stop;
  cascade::Listener& listener;
  std::string vocabulary = {};  // the model's, for whoever wants the tokens; empty: nobody does
  // engine::GenerateOptions::give_up; each try gets a copy, so that it starts afresh.
  std::function<bool(float margin)> give_up = {};
  std::function<void()> writing = {};  // cascade::Outlook::writing
};

// `messages`: as the model is shown them; empty where the request has a bare text. Errors: those of
// CompletionEngine::submit() and CompletionStream::result().
Result<Answered> ask_scheduler(engine::CompletionEngine& engine, const Asking& asking,
                               std::span<const engine::ChatMessage> messages);

// The same prompt, to be computed in the background for who may ask it later; `stop` cancels it.
Result<std::unique_ptr<engine::CompletionStream>> submit_ahead(
    engine::CompletionEngine& engine, const cascade::Request& request, const StopFlag& stop,
    std::span<const engine::ChatMessage> messages);

// Tools as an engine takes them: those that may be called, with schemas that a grammar can hold to.
std::vector<engine::ToolSpec> tools_of(const cascade::Order& order);
engine::ToolChoice tool_choice_of(const cascade::Order& order);

}  // namespace tinyarms::tiers
