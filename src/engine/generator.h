// Turns a conversation into an answer with one language model, token by token, with the evidence
// for each. Owns a libllama context: one thread at a time; models outlive their generators.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "engine/answer_statistics.h"
#include "engine/language_model.h"

namespace tinyarms::engine {

struct ChatMessage {
  std::string role;     // "system", "user", "assistant"
  std::string content;  // UTF-8
};

struct GeneratorOptions {
  uint32_t context_tokens = 4096;  // clipped to what the model was trained for
  uint32_t batch_tokens = 512;
  int threads = 0;                 // 0: every core
};

struct GenerateOptions {
  int tokens_max = 512;
  double temperature = 0;  // 0: greedy
  uint32_t seed = 0;
  std::vector<std::string> stop;  // the answer ends before the first of these
};

enum class FinishReason { Stop, Length, Interrupted };

struct Generation {
  std::string text;  // valid UTF-8, without stop sequences and special tokens
  FinishReason finish = FinishReason::Stop;
  int prompt_tokens = 0;
  int completion_tokens = 0;
  double prefill_seconds = 0;
  double decode_seconds = 0;
  AnswerStatistics statistics;
};

class Generator {
 public:
  // Errors: OverBudget or Internal where the context cannot be allocated.
  static Result<std::unique_ptr<Generator>> create(const LanguageModel& model,
                                                   const GeneratorOptions& options);
  virtual ~Generator() = default;

  // Renders the model's own chat template, prefills, decodes. `on_text` gets whole UTF-8
  // characters as they become certain (never part of a stop sequence). Polls `stop` once a token
  // and once a prefill batch. Each call starts afresh: nothing of earlier calls is seen.
  // Errors: ContextTooLong (with both numbers), Unsupported (no usable chat template),
  // Interrupted (before the first token), Internal (decoding failed).
  virtual Result<Generation> generate(std::span<const ChatMessage> messages,
                                      const GenerateOptions& options, const StopFlag& stop,
                                      const std::function<void(std::string_view)>& on_text) = 0;
};

}  // namespace tinyarms::engine
