// Turns a conversation into an answer with one language model, token by token, with the evidence
// for each. Owns a libllama context: one thread at a time; models outlive their generators.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "engine/answer_statistics.h"
#include "engine/chat_message.h"
#include "engine/draft.h"
#include "engine/language_model.h"
#include "engine/memory_plan.h"
#include "engine/token_loop.h"

namespace tinyarms::engine {

class CoreBudget;

struct GeneratorOptions {
  uint32_t context_tokens = 4096;  // clipped to what the model was trained for
  uint32_t batch_tokens = 512;
  int threads = 0;                 // 0: every core
  CoreBudget* cores = nullptr;     // shared with other models, instead of `threads`
  uint32_t guesses_max = 0;        // tokens of a draft that one pass may look at, beside the last
};

struct GenerateOptions {
  int tokens_max = 512;
  double temperature = 0;  // 0: greedy
  uint32_t seed = 0;
  std::vector<std::string> stop = {};  // the answer ends before the first of these
  DraftOptions draft = {};             // what a cheaper model answered already
  std::string scope = {};  // computed prefixes are shared within it only (engine/scheduler)
  // Asked with the margin of each token that does not end the answer, in order and on the thread
  // that computes: true ends it there (FinishReason::Abandoned). May be empty; must not throw.
  std::function<bool(float margin)> give_up = {};
};

struct Generation {
  std::string text;  // valid UTF-8, without stop sequences and special tokens
  FinishReason finish = FinishReason::Stop;
  int prompt_tokens = 0;
  // Every token drawn, the one that ends the answer included: when to stop is part of the answer.
  int completion_tokens = 0;
  double prefill_seconds = 0;  // template, tokens, and the passes up to the first logits
  double decode_seconds = 0;   // from the first logits to the end
  AnswerStatistics statistics; // of the completion tokens
  std::vector<float> margins;  // of each completion token
  TokenTrail trail;            // the completion tokens themselves
  std::optional<DraftReport> draft;  // where the options had one, or asked for lookup
};

class Generator {
 public:
  // Errors: OverBudget or Internal where the context cannot be allocated.
  static Result<std::unique_ptr<Generator>> create(const LanguageModel& model,
                                                   const GeneratorOptions& options);
  virtual ~Generator() = default;

  // Renders the model's own chat template, prefills, decodes. `on_text` (may be empty) gets whole
  // UTF-8 characters as they become certain (never part of a stop sequence). Polls `stop` while
  // the engine computes, so that a long prompt too is let go at once. Each call starts afresh:
  // nothing of earlier calls is seen. A message cannot forge a turn (engine/prompt_tokens.h).
  // Errors: InvalidArgument (no message, an unknown role, text that is not UTF-8, options out of
  // range), ContextTooLong (with both numbers), Unsupported (no usable chat template),
  // Interrupted (before the first token), Corrupt (the logits are not numbers), Internal
  // (decoding failed).
  virtual Result<Generation> generate(std::span<const ChatMessage> messages,
                                      const GenerateOptions& options, const StopFlag& stop,
                                      const std::function<void(std::string_view)>& on_text) = 0;

  // What libllama allocated for this generator and its model, by its own account; the tables of
  // the vocabulary are not in it.
  virtual MemoryPlan memory_taken() const = 0;
};

}  // namespace tinyarms::engine
