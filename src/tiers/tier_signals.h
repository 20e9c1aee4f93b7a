// Measures the optional signals of an answer that a local model has just given, with that model,
// the next larger one and the sandbox as instruments.
#pragma once

#include "base/clock.h"
#include "cascade/attempt.h"
#include "cascade/request.h"
#include "cascade/trace.h"
#include "engine/generator.h"
#include "sandbox/judge.h"
#include "signals/panel.h"
#include "tiers/model_ref.h"
#include "tiers/model_shelf.h"

namespace tinyarms::tiers {

// What a tier needs for it. An empty panel measures nothing.
struct SignalSetup {
  signals::Panel panel = {};
  sandbox::Judge* judge = nullptr;
  const Clock* clock = nullptr;   // must be there where the panel is not empty
  ModelRef next_model = {};       // not configured: nobody else is asked
};

struct SignalSubject {
  const cascade::Request& request;
  const cascade::Trace& so_far;
  const ModelRef& model;
  uint32_t context_tokens = 4096;
  std::vector<engine::ChatMessage> messages;  // as the model was asked
};

// Adds to attempt.evidence. Takes models from the shelf: earlier loans are void afterwards.
void add_signals(const SignalSetup& setup, const SignalSubject& subject, ModelShelf& shelf,
                 const StopFlag& stop, cascade::Attempt& attempt);

}  // namespace tinyarms::tiers
