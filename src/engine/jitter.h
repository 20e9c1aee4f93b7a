// How much the evidence of one answer moves with the way it was computed: the same tokens give
// slightly different logits when their batch has another shape (llama.cpp #28368). The answer is
// decoded once, cold and alone; the same tokens are then followed
//
//   Cold     prompt prefilled in batches, answer token by token: the reference
//   Warm     the prompt's keys and values reused but for its last token, as a prefix cache does
//   Split    the prompt prefilled in two halves, as after a reused conversation
//   Batched  four equal sequences decoded together, as a server does
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "base/stop_flag.h"
#include "engine/answer_statistics.h"
#include "engine/generator.h"
#include "engine/language_model.h"

namespace tinyarms::engine {

enum class Way { Cold, Warm, Split, Batched };
inline constexpr std::array<Way, 4> kWays = {Way::Cold, Way::Warm, Way::Split, Way::Batched};
std::string_view way_name(Way way);  // "cold", …

struct WayResult {
  AnswerStatistics statistics;  // of the cold answer's tokens, followed this way
  int other_choices = 0;        // tokens where this way would have chosen another one
};

struct JitterSample {
  int prompt_tokens = 0;
  int answer_tokens = 0;
  std::array<WayResult, kWays.size()> ways;
};

// Owns a libllama context of its own: one thread at a time; the model outlives it.
class JitterProbe {
 public:
  // Errors: as Generator::create.
  static Result<std::unique_ptr<JitterProbe>> create(const LanguageModel& model,
                                                     const GeneratorOptions& options);
  virtual ~JitterProbe() = default;

  // Greedy, at most `tokens_max` tokens. Errors: those of Generator::generate.
  virtual Result<JitterSample> measure(std::span<const ChatMessage> messages, int tokens_max,
                                       const StopFlag& stop) = 0;
};

}  // namespace tinyarms::engine
