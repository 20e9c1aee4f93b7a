#include "engine/scheduler/scheduled_generator.h"

namespace tinyarms::engine {

Generation generation_of(Completion completion, const std::string& vocabulary) {
  Generation generation;
  generation.text = std::move(completion.text);
  generation.finish = completion.finish;
  generation.prompt_tokens = completion.prompt_tokens;
  generation.completion_tokens = completion.completion_tokens;
  generation.prefill_seconds = completion.queue_seconds + completion.prefill_seconds;
  generation.decode_seconds = completion.decode_seconds;
  generation.statistics = completion.statistics;
  generation.margins = std::move(completion.margins);
  if (!vocabulary.empty()) generation.trail = {vocabulary, std::move(completion.answer)};
  return generation;
}

Result<Generation> ScheduledGenerator::generate(
    std::span<const ChatMessage> messages, const GenerateOptions& options, const StopFlag& stop,
    const std::function<void(std::string_view)>& on_text) {
  CompletionRequest request;
  request.messages.assign(messages.begin(), messages.end());
  request.sampling.temperature = options.temperature;
  request.sampling.seed = options.seed;
  request.tokens_max = options.tokens_max;
  request.stop = options.stop;
  request.scope = options.scope;
  request.give_up = options.give_up;
  request.stop_flag = &stop;
  auto stream = scheduler_->submit(std::move(request));
  if (!stream) return stream.error();
  while (const auto event = (*stream)->next()) {
    if (on_text && !event->text.empty()) on_text(event->text);
  }
  auto completion = (*stream)->result();
  if (!completion) return completion.error();
  return generation_of(std::move(*completion), vocabulary_);
}

}  // namespace tinyarms::engine
