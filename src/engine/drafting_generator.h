// A generator that looks at drafts in a context of its own, beside another that serves everything
// else. The context is made when the first draft comes, and serves one request at a time: a draft
// that finds it taken is passed over, which changes how long the answer takes and nothing else.
#pragma once

#include <memory>
#include <mutex>

#include "engine/generator.h"

namespace tinyarms::engine {

// Thread-safe where `plain` is. The model outlives it.
class DraftingGenerator final : public Generator {
 public:
  // `options` are those of the context for drafts.
  DraftingGenerator(std::unique_ptr<Generator> plain, const LanguageModel& model,
                    GeneratorOptions options)
      : plain_(std::move(plain)), model_(model), options_(options) {}

  Result<Generation> generate(std::span<const ChatMessage> messages,
                              const GenerateOptions& options, const StopFlag& stop,
                              const std::function<void(std::string_view)>& on_text) override;
  MemoryPlan memory_taken() const override;

 private:
  std::unique_ptr<Generator> plain_;
  const LanguageModel& model_;
  GeneratorOptions options_;
  mutable std::mutex mutex_;  // over the next
  std::unique_ptr<Generator> verifier_;
};

}  // namespace tinyarms::engine
