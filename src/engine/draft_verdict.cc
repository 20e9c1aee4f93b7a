#include "engine/draft_verdict.h"

#include <algorithm>

namespace tinyarms::engine {
namespace {

// Looks at the logits before draft[verdict.tokens.size()].
Result<void> look(std::span<const float> logits, int32_t drafted, const TokenLoop& loop,
                  bool& parted, DraftVerdict& verdict) {
  auto scan = scan_checked(logits);
  if (!scan) return scan.error();
  const float logit = logits[static_cast<size_t>(drafted)];
  if (!parted) {
    const int32_t token = loop.choose(logits, *scan);
    verdict.own_token = token;
    verdict.own = scan->choosing(logits[static_cast<size_t>(token)]);
    parted = token != drafted;
    if (!parted) ++verdict.agreed;
  }
  verdict.tokens.push_back(scan->choosing(logit));
  verdict.gaps.push_back(scan->top_logit - logit);
  return {};
}

}  // namespace

Result<DraftVerdict> judge_draft(TokenSequence& sequence, std::span<const int32_t> prompt,
                                 std::span<const int32_t> draft, double logprob_mean_min,
                                 const TokenLoop& loop) {
  DraftVerdict verdict;
  const double sum_min = logprob_mean_min * static_cast<double>(draft.size());
  double sum = 0;
  bool parted = false;
  std::vector<int32_t> batch(prompt.begin(), prompt.end());
  // The last token of the draft need not be appended: nothing comes after it.
  size_t appended = 0;
  while (verdict.tokens.size() < draft.size() && (sum >= sum_min || !parted)) {
    const size_t count =
        std::min(draft.size() - 1 - appended, sequence.outputs_max() - (appended == 0 ? 1 : 0));
    const auto piece = draft.subspan(appended, count);
    batch.insert(batch.end(), piece.begin(), piece.end());
    const size_t outputs = appended == 0 ? count + 1 : count;
    if (auto done = sequence.append(batch, outputs); !done) return done.error();
    for (size_t i = 0; i < outputs; ++i) {
      const int32_t drafted = draft[verdict.tokens.size()];
      if (auto done = look(sequence.logits(i), drafted, loop, parted, verdict); !done) {
        return done.error();
      }
      sum += verdict.tokens.back().logprob;
    }
    appended += count;
    batch.clear();
  }
  verdict.endorsed = verdict.tokens.size() == draft.size() && (sum >= sum_min || !parted);
  if (!verdict.endorsed) {
    const size_t keep = prompt.size() + verdict.agreed;
    if (auto done = sequence.rewind(keep); !done) return done.error();
  }
  return verdict;
}

}  // namespace tinyarms::engine
