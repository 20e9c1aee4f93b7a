#include "engine/draft_guesser.h"

#include <algorithm>

namespace tinyarms::engine {
namespace {

constexpr size_t kLongestKey = 4;   // tokens that must have stood there before
constexpr size_t kShortestKey = 2;
constexpr size_t kReachMin = 2;
constexpr size_t kReachMax = 16;
// A guess costs a token of prefill and saves a pass of decoding; prefill is some 3 to 5 times as
// fast a token, so that guesses pay from about a third on.
constexpr size_t kTrial = 24;  // guesses before that is judged
constexpr double kPaysFrom = 0.35;

}  // namespace

DraftGuesser::DraftGuesser(GuessSources sources)
    : sources_(std::move(sources)), text_(sources_.prompt), with_draft_(!sources_.draft.empty()) {
  seen_.tokens = static_cast<int>(sources_.draft.size());
}

void DraftGuesser::skip_draft(std::span<const int32_t> tokens) {
  with_draft_ = false;
  text_.insert(text_.end(), tokens.begin(), tokens.end());
  answered_ += tokens.size();
}

std::span<const int32_t> DraftGuesser::guess(size_t tokens_max) {
  guessed_draft_ = with_draft_ && answered_ < sources_.draft.size();
  if (guessed_draft_) {
    const auto rest = std::span<const int32_t>(sources_.draft).subspan(answered_);
    return rest.first(std::min({rest.size(), look_, tokens_max}));
  }
  if (!sources_.lookup || !lookup_pays_) return {};
  return look_up(std::min(tokens_max, reach_));
}

std::span<const int32_t> DraftGuesser::following(std::span<const int32_t> place,
                                                 size_t tokens_max) const {
  const size_t answer_from = text_.size() - answered_;
  for (size_t length = kLongestKey; length >= kShortestKey; --length) {
    if (answered_ < length || place.size() <= length) continue;
    const auto key = std::span<const int32_t>(text_).subspan(answer_from + answered_ - length);
    // The latest place wins, but not the end of the text itself, which is the key.
    for (size_t at = place.size() - length; at-- > 0;) {
      if (!std::equal(key.begin(), key.end(), place.begin() + static_cast<std::ptrdiff_t>(at))) {
        continue;
      }
      const auto found = place.subspan(at + length);
      return found.first(std::min(found.size(), tokens_max));
    }
  }
  return {};
}

std::span<const int32_t> DraftGuesser::look_up(size_t tokens_max) const {
  if (tokens_max == 0) return {};
  const auto in_draft = following(sources_.draft, tokens_max);
  return in_draft.empty() ? following(text_, tokens_max) : in_draft;
}

void DraftGuesser::judged(const TokenStatistics& token, double gap, bool accepted) {
  if (!guessed_draft_) return;
  ++seen_.checked;
  logprob_sum_ += token.logprob;
  margin_sum_ += token.margin();
  seen_.margin_min = seen_.checked == 1 ? token.margin()
                                        : std::min<double>(seen_.margin_min, token.margin());
  if (gap <= 0) ++seen_.matches;
  if (!accepted && !seen_.gap) seen_.gap = gap;
}

void DraftGuesser::decided(std::span<const int32_t> tokens, size_t guesses) {
  const size_t right = tokens.size() - 1;  // the last is the model's own
  if (guessed_draft_) {
    const size_t at = answered_ + right;  // of the model's own token
    with_draft_ = right == guesses && at < sources_.draft.size() &&
                  tokens.back() == sources_.draft[at];
    look_ = std::min(look_ * 2, kLookMax);
  } else if (guesses > 0) {
    learn_lookup(guesses, right);
  }
  text_.insert(text_.end(), tokens.begin(), tokens.end());
  answered_ += tokens.size();
}

void DraftGuesser::learn_lookup(size_t guesses, size_t right) {
  guessed_ += guesses;
  guessed_right_ += right;
  reach_ = right == guesses ? std::min(reach_ * 2, kReachMax) : std::max(kReachMin, right + 1);
  const double share = static_cast<double>(guessed_right_) / static_cast<double>(guessed_);
  lookup_pays_ = guessed_ < kTrial || share >= kPaysFrom;
}

void DraftGuesser::report(DraftReport& report) const {
  report.tokens = seen_.tokens;
  report.checked = seen_.checked;
  report.matches = seen_.matches;
  report.gap = seen_.gap;
  report.margin_min = seen_.margin_min;
  if (seen_.checked > 0) {
    report.logprob_mean = logprob_sum_ / seen_.checked;
    report.margin_mean = margin_sum_ / seen_.checked;
  }
  report.guessed = static_cast<int>(guessed_);
  report.guessed_right = static_cast<int>(guessed_right_);
}

}  // namespace tinyarms::engine
