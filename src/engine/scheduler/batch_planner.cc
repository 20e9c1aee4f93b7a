#include "engine/scheduler/batch_planner.h"

#include <algorithm>
#include <numeric>

namespace tinyarms::engine {
namespace {

constexpr size_t kBatchShare = 8;  // one part in so many

// Shortest first: each gets at most an equal part of what is still there.
size_t share_out(std::span<const PendingTokens> pending, std::vector<size_t> members,
                 size_t budget, std::vector<size_t>& planned) {
  std::stable_sort(members.begin(), members.end(), [&](size_t a, size_t b) {
    return pending[a].count < pending[b].count;
  });
  size_t left = budget;
  for (size_t i = 0; i < members.size(); ++i) {
    const size_t fair = (left + members.size() - i - 1) / (members.size() - i);
    planned[members[i]] = std::min({pending[members[i]].count, fair, left});
    left -= planned[members[i]];
  }
  return budget - left;
}

size_t total_of(std::span<const PendingTokens> pending, const std::vector<size_t>& members) {
  return std::accumulate(members.begin(), members.end(), size_t{0},
                         [&](size_t sum, size_t i) { return sum + pending[i].count; });
}

}  // namespace

std::vector<size_t> plan_batch(std::span<const PendingTokens> pending, const BatchLimits& limits) {
  std::vector<size_t> planned(pending.size(), 0);
  std::vector<size_t> interactive;
  std::vector<size_t> batch;
  size_t left = limits.batch_tokens;
  bool writing = false;
  for (size_t i = 0; i < pending.size(); ++i) {
    if (pending[i].count == 1 && left > 0) {
      planned[i] = 1;
      --left;
      writing = true;
    } else if (pending[i].count > 1) {
      (pending[i].priority == Priority::Interactive ? interactive : batch).push_back(i);
    }
  }
  if (writing) left = std::min(left, limits.prompt_tokens);
  if (left == 0) return planned;
  const size_t eighth = std::max<size_t>(left / kBatchShare, 1);
  const size_t kept = interactive.empty() ? left : std::min(total_of(pending, batch), eighth);
  const size_t first = left > kept ? left - kept : left;
  const size_t used = share_out(pending, interactive, interactive.empty() ? 0 : first, planned);
  share_out(pending, batch, left - used, planned);
  return planned;
}

}  // namespace tinyarms::engine
