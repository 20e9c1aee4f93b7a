// Multiple choice by likelihood: how probable each of some given texts is as what comes next.
// One prefill of the prompt serves every option. Owns a libllama context, like a Generator.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "engine/generator.h"
#include "engine/language_model.h"

namespace tinyarms::engine {

struct ChoicePrompt {
  std::span<const ChatMessage> messages;
  // The messages' texts one after the other as they are, without the chat template (a base model's
  // benchmarks are asked so); otherwise as Generator renders them.
  bool plain = false;
  // Of a plain prompt: how many bytes of it, from its beginning, the prompts to come share (solved
  // examples). The scorer keeps what it computed of them and goes on from there.
  size_t shared_bytes = 0;
};

struct ChoiceScores {
  // Of each option: Σ log p(token | prompt, the option's tokens before it), natural logarithms.
  // Prompt and option are tokenised apart, so an option begins with its space where it has one.
  std::vector<double> logprobs;
  int prompt_tokens = 0;
  int option_tokens = 0;  // of all options together
  double seconds = 0;
};

class ChoiceScorer {
 public:
  // Errors: as Generator::create.
  static Result<std::unique_ptr<ChoiceScorer>> create(const LanguageModel& model,
                                                      const GeneratorOptions& options);
  virtual ~ChoiceScorer() = default;

  // The scores do not depend on the calls before: the shared bytes are a batch of their own whether
  // they are computed now or were kept. Errors: those of Generator::generate; InvalidArgument where
  // there is no option or an empty one.
  virtual Result<ChoiceScores> score(const ChoicePrompt& prompt,
                                     std::span<const std::string> options,
                                     const StopFlag& stop) = 0;
};

}  // namespace tinyarms::engine
