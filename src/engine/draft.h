// A draft: what a cheaper model answered. Another model can look at all of it in a few passes and
// go on where it would have written something else, instead of writing everything anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tinyarms::engine {

// Tokens and whose they are: ids mean something in one vocabulary only (engine/vocabulary.h).
struct TokenTrail {
  std::string vocabulary;  // its fingerprint; empty: no tokens are known
  std::vector<int32_t> tokens;
};

struct Draft {
  std::string text;  // UTF-8; read anew by a model of another vocabulary
  TokenTrail trail;
  bool ended = false;  // by itself; false: cut off, given up
};

// What a model does with a draft. Whatever is set here, and whatever the draft is, the answer is
// the one that the model would give without it; only `endorse_from` below 1 changes that.
struct DraftOptions {
  std::optional<Draft> draft = {};
  // A complete draft is taken as the answer where the geometric mean probability of its tokens
  // under this model reaches this. At 1 only where this model would have written every token.
  double endorse_from = 1;  // (0, 1]
  // Guesses the next tokens from where the last few stood before: in the draft, and with
  // `lookup_in_prompt` in the conversation too.
  bool lookup = false;
  bool lookup_in_prompt = false;
};

// What became of a draft and of guesses; counts are of this model's tokens.
struct DraftReport {
  bool same_vocabulary = false;
  int tokens = 0;   // the draft's, its end included where it ended
  int checked = 0;  // of those, how many this model gave a probability
  int agreed = 0;   // leading ones that it would have written itself
  int matches = 0;  // of the checked ones, those that are its own choice at their place
  double logprob_mean = 0;  // of the checked ones
  double margin_mean = 0;   // p(top 1) − p(top 2) at the checked places
  double margin_min = 0;
  // Its largest logit − the draft's, where a checked token first is not its choice.
  std::optional<double> gap = {};
  bool endorsed = false;  // the draft is the answer
  int guessed = 0;        // by lookup
  int guessed_right = 0;
};

}  // namespace tinyarms::engine
