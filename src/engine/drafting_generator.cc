#include "engine/drafting_generator.h"

namespace tinyarms::engine {

Result<Generation> DraftingGenerator::generate(
    std::span<const ChatMessage> messages, const GenerateOptions& options, const StopFlag& stop,
    const std::function<void(std::string_view)>& on_text) {
  if (!options.draft.draft && !options.draft.lookup) {
    return plain_->generate(messages, options, stop, on_text);
  }
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock && !verifier_) {
    // Where memory is short the answer is made without the draft.
    if (auto made = Generator::create(model_, options_)) verifier_ = std::move(*made);
  }
  if (!lock || !verifier_) return plain_->generate(messages, options, stop, on_text);
  return verifier_->generate(messages, options, stop, on_text);
}

MemoryPlan DraftingGenerator::memory_taken() const {
  MemoryPlan taken = plain_->memory_taken();
  const std::lock_guard lock(mutex_);
  if (!verifier_) return taken;
  const MemoryPlan own = verifier_->memory_taken();
  taken.kv_bytes += own.kv_bytes;
  taken.compute_bytes += own.compute_bytes;
  return taken;
}

}  // namespace tinyarms::engine
