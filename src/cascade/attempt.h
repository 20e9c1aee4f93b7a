// What one tier made of one request: an answer or an abstention, its evidence, its cost.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cascade/evidence.h"
#include "cascade/request.h"

namespace tinyarms::cascade {

enum class Finish {
  Stop,         // the answer ended by itself, or at a stop sequence
  Length,       // the token limit cut it off
  Interrupted,  // the user stopped it; the text so far is kept
  Abandoned,    // the tier itself gave it up, for a tier above to go on with
};

struct Cost {
  double seconds = 0;       // wall time of the attempt; filled in by the cascade
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;  // of those, not computed again
  int64_t completion_tokens = 0;
  double prefill_seconds = 0;
  double decode_seconds = 0;
  double load_seconds = 0;  // part of `seconds` spent bringing the model into memory
  std::optional<double> dollars{};  // paid to somebody else; nothing where no price is known
};

// What served an answer. A probability fitted to one origin says nothing about another. The cascade
// only carries it; empty fields are unknown.
struct Origin {
  std::string model;         // hash of the weights
  std::string quantization;  //
  std::string engine;        // build that ran them
  std::string sampler;       // sampler_of() the request
  friend bool operator==(const Origin&, const Origin&) = default;
};

// The tokens of an answer, for a tier above that knows the same vocabulary to look at them instead
// of the text. Opaque to the cascade.
struct Tokens {
  std::string vocabulary;  // whose; empty: none are known
  std::vector<int32_t> ids;
};

// What a tier found out on its way and wants again when the climb has ended. Opaque to the cascade.
struct Keepsake {
  virtual ~Keepsake() = default;
};

struct Attempt {
  bool answered = false;
  std::string answer;  // where answered
  std::string reason;  // where abstained or given up: why, in a few words a person can read
  std::string source;  // who: a model's name, a rule's id, "exact cache", "semantic cache"
  Origin origin;
  std::string group;   // kind of question; filled in by the cascade
  std::string notice;  // what the user should know about it, e.g. what of the prompt was cut
  Finish finish = Finish::Stop;
  std::string stopped_by;  // the request's stop sequence that ended it, where one did
  std::vector<ToolCall> tool_calls;    // may be all there is: `answer` is empty then
  std::vector<TokenLogprob> logprobs;  // of its text, where the request wants them
  Tokens tokens;
  Evidence evidence;   // an abstention has evidence too (the intent, say)
  Cost cost;
  std::vector<ContextPassage> passages;  // found for the tiers above, best first
  std::vector<Attempt> others = {};  // of an ensemble: the answers that this one was taken over
  std::shared_ptr<const Keepsake> keepsake;  // null: none

  static Attempt abstain(std::string reason) {
    Attempt attempt;
    attempt.reason = std::move(reason);
    return attempt;
  }
};

}  // namespace tinyarms::cascade
