// Guesses from a draft, token by token as long as the model agrees with it, and afterwards by
// lookup: where the last few tokens stood before, in the draft or in the conversation, what
// followed there may follow again ("prompt lookup decoding", Saxena 2023; LLMA, Yang et al. 2023).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/draft.h"
#include "engine/token_loop.h"

namespace tinyarms::engine {

struct GuessSources {
  std::vector<int32_t> draft = {};
  std::vector<int32_t> prompt = {};  // looked up in
  bool lookup = false;
};

// How many guesses are made depends on tokens alone, never on a clock: the same request takes the
// same passes. The first looks at a draft are short, because one that is of no use shows it at
// once (kFirstLook tokens, twice as many each time it agrees). Lookup makes more guesses while
// they are right and stops where too few are.
class DraftGuesser final : public Guesser {
 public:
  static constexpr size_t kFirstLook = 8;
  static constexpr size_t kLookMax = 4096;

  explicit DraftGuesser(GuessSources sources);

  std::span<const int32_t> guess(size_t tokens_max) override;
  // Of a guess of the draft's where one is under way or none was made yet, else of a lookup's.
  void judged(const TokenStatistics&, double gap, bool accepted) override;
  void decided(std::span<const int32_t> tokens, size_t guesses) override;

  // The draft was dealt with elsewhere (engine/draft_verdict.h): these tokens of the answer are
  // there already, and guesses come by lookup alone.
  void skip_draft(std::span<const int32_t> tokens);

  // Fills in all but `agreed`, `same_vocabulary`, `endorsed` and times.
  void report(DraftReport& report) const;

 private:
  std::span<const int32_t> look_up(size_t tokens_max) const;
  std::span<const int32_t> following(std::span<const int32_t> place, size_t tokens_max) const;
  void learn_lookup(size_t guesses, size_t right);

  GuessSources sources_;
  std::vector<int32_t> text_;    // the prompt, then the answer so far
  size_t answered_ = 0;          // tokens of the answer
  bool with_draft_ = false;      // the answer is the draft so far
  bool guessed_draft_ = true;    // the guesses under way are the draft's
  size_t look_ = kFirstLook;
  size_t reach_ = 4;             // guesses that lookup makes at once
  size_t guessed_ = 0;
  size_t guessed_right_ = 0;
  bool lookup_pays_ = true;
  DraftReport seen_;
  double logprob_sum_ = 0;
  double margin_sum_ = 0;
};

}  // namespace tinyarms::engine
