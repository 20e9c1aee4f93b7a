#include "engine/token_loop.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tinyarms::engine {
namespace {

// How many guesses one append may carry beside what is pending.
size_t room_for_guesses(const TokenSequence& sequence, size_t pending) {
  const size_t taken = sequence.length() + pending;
  const size_t free = sequence.capacity() > taken ? sequence.capacity() - taken : 0;
  return std::min(sequence.outputs_max() - 1, free);
}

}  // namespace

Result<LogitScan> scan_checked(std::span<const float> logits) {
  LogitScan scan = scan_logits(logits);
  if (std::isfinite(scan.log_sum)) return scan;
  return Error{ErrorCode::Corrupt, "the model's output is not a number", "",
               "fetch or import the model again"};
}

Result<FinishReason> decode_tokens(TokenSequence& sequence, std::span<const int32_t> pending,
                                   Guesser& guesser, const TokenLoop& loop) {
  std::vector<int32_t> batch(pending.begin(), pending.end());
  std::vector<int32_t> taken;
  bool begun = false;
  while (true) {
    const auto guesses = guesser.guess(room_for_guesses(sequence, batch.size()));
    const size_t base = sequence.length() + batch.size();
    batch.insert(batch.end(), guesses.begin(), guesses.end());
    if (auto done = sequence.append(batch, guesses.size() + 1); !done) {
      const bool stopped = done.error().code == ErrorCode::Interrupted;
      if (begun && stopped) return FinishReason::Interrupted;
      return done.error();
    }

    taken.clear();
    bool parted = false;
    for (size_t i = 0; i <= guesses.size(); ++i) {
      const auto logits = sequence.logits(i);
      auto scan = scan_checked(logits);
      if (!scan) return scan.error();
      const int32_t token = parted ? scan->top_token : loop.choose(logits, *scan);
      const bool accepted = i < guesses.size() && !parted && token == guesses[i];
      if (i < guesses.size()) {
        const float logit = logits[static_cast<size_t>(guesses[i])];
        guesser.judged(scan->choosing(logit), scan->top_logit - logit, accepted);
      }
      if (parted) continue;  // what follows a rejected guess is only looked at
      taken.push_back(token);
      begun = true;
      const auto end = loop.take(token, scan->choosing(logits[static_cast<size_t>(token)]));
      if (end) return *end;
      parted = !accepted;
    }
    guesser.decided(taken, guesses.size());
    if (taken.size() <= guesses.size()) {
      if (auto done = sequence.rewind(base + taken.size() - 1); !done) return done.error();
    }
    batch.assign(1, taken.back());
  }
}

}  // namespace tinyarms::engine
