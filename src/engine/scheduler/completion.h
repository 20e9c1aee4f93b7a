// What a language model is asked for and what comes back: the port between whoever serves requests
// (a tier, a server) and the scheduler that computes many of them at once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/stop_flag.h"
#include "engine/answer_statistics.h"
#include "engine/chat_message.h"
#include "engine/generator.h"

namespace tinyarms::engine {

struct TokenBias {
  int32_t token = 0;
  float bias = 0;  // added to the logit; −infinity forbids
};

// Applied in this order to a copy of the logits: bias, penalties, constraint, top-k, top-p, min-p
// (over the softmax at temperature 1), temperature. The evidence is of the unmodified logits.
struct SamplingOptions {
  double temperature = 0;  // 0: the likeliest token left
  int top_k = 0;           // 0: all
  double top_p = 1;        // (0, 1]; smallest set of tokens with this mass
  double min_p = 0;        // [0, 1]; share of the likeliest token's probability
  double repetition_penalty = 1;  // > 0; over the last 64 tokens, prompt included
  double frequency_penalty = 0;   // [−2, 2]; for each time a token was generated
  double presence_penalty = 0;    // [−2, 2]; once for a token that was generated
  uint32_t seed = 0;
  std::vector<TokenBias> logit_bias = {};
};

// Background: work ahead for a request that may never come. It computes where the model has nothing
// else to do, in short passes, and makes way at the next one.
enum class Priority { Interactive, Batch, Background };

struct CompletionRequest {
  std::vector<ChatMessage> messages = {};    // a conversation; or, where empty,
  std::optional<std::string> prompt = {};    // a text to go on with, without a chat template
  std::optional<std::string> suffix = {};    // with `prompt`: what is between them is asked for
  std::vector<ToolSpec> tools = {};
  ToolChoice tool_choice = ToolChoice::Auto;
  bool parallel_tool_calls = false;
  std::string json_schema = {};  // the answer is JSON of this schema; "{}" is any JSON
  std::string grammar = {};      // the same by a grammar in GBNF; from inside the program only
  SamplingOptions sampling = {};
  int tokens_max = 512;
  std::vector<std::string> stop = {};    // the answer ends before the first of these
  std::optional<int> top_logprobs = {};  // set: every token is reported, with so many others
  Priority priority = Priority::Interactive;
  std::optional<double> seconds_max = {};  // from submission; then it ends with what there is
  // Computed prefixes are shared among requests of one scope only.
  std::string scope = {};
  std::function<bool(float margin)> give_up = {};  // as GenerateOptions::give_up
  const StopFlag* stop_flag = nullptr;  // may be null; polled; outlives the request
};

struct TokenAlternative {
  std::string bytes;  // need not be whole UTF-8
  double logprob = 0;
};

struct TokenReport {
  TokenAlternative chosen;
  std::vector<TokenAlternative> top;  // likeliest first
};

struct Completion {
  std::string text;       // valid UTF-8; without tool calls, stop sequences and special tokens
  std::string reasoning;  // what the model's template marks as its thinking
  std::vector<ToolCall> tool_calls;
  FinishReason finish = FinishReason::Stop;
  std::string stopped_by;        // of `stop`, which of them ended it; empty: none did
  bool deadline_passed = false;  // with FinishReason::Interrupted
  int prompt_tokens = 0;
  int cached_tokens = 0;      // of those, not computed again
  int completion_tokens = 0;  // every token drawn, the one that ends the answer included
  double queue_seconds = 0;
  double prefill_seconds = 0;  // from leaving the queue to the first logits
  double decode_seconds = 0;
  AnswerStatistics statistics;
  std::vector<int32_t> answer;    // the completion tokens
  std::vector<float> margins;     // p(top 1) − p(top 2) of each
  std::vector<TokenReport> tokens;  // where `top_logprobs` was set
};

// What is new since the event before.
struct CompletionEvent {
  int prompt_tokens = 0;  // with the first event
  int prompt_done = 0;    // in the background only: how many of them were computed by now
  std::string text;       // whole UTF-8 characters
  std::string reasoning;
  struct ToolDelta {
    size_t index = 0;
    std::string id;         // with the first delta of a call
    std::string name;       // with the first delta of a call
    std::string arguments;  // to be appended
  };
  std::vector<ToolDelta> tools;
  std::vector<TokenReport> tokens;
};

}  // namespace tinyarms::engine
