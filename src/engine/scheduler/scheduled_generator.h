// One answer at a time through a scheduler, as tiers ask for it: the port of engine/generator.h
// over a context that several callers share and that remembers what it has computed.
#pragma once

#include "engine/generator.h"
#include "engine/scheduler/scheduler.h"

namespace tinyarms::engine {

// The same answer in the words of that port; its tokens go along where `vocabulary` (a fingerprint,
// engine/vocabulary.h) says whose they are.
Generation generation_of(Completion completion, const std::string& vocabulary);

// Any number of threads may generate at once, as far as the scheduler computes at once.
class ScheduledGenerator final : public Generator {
 public:
  // `vocabulary`: the fingerprint of the model's (engine/vocabulary.h), which goes with the tokens
  // of an answer; empty: answers come without.
  explicit ScheduledGenerator(std::unique_ptr<Scheduler> scheduler, std::string vocabulary = {})
      : scheduler_(std::move(scheduler)), vocabulary_(std::move(vocabulary)) {}

  // Drafts are passed over. `on_text` is called on the calling thread. Errors: also Unavailable.
  Result<Generation> generate(std::span<const ChatMessage> messages,
                              const GenerateOptions& options, const StopFlag& stop,
                              const std::function<void(std::string_view)>& on_text) override;
  MemoryPlan memory_taken() const override { return scheduler_->memory_taken(); }

  Scheduler& scheduler() { return *scheduler_; }

 private:
  std::unique_ptr<Scheduler> scheduler_;
  std::string vocabulary_;
};

}  // namespace tinyarms::engine
