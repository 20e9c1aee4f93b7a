// Passages in the order that a reranker gives them, and when looking further is not worth it.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/reranker.h"

namespace tinyarms::engine {

struct RankingOptions {
  size_t top = 10;  // how many are wanted
  // Early exit: passages are scored in the order given, `block` at a time; where the best of the
  // latest block lies more than this below the last of the best `top` so far, the rest keeps its
  // order and no score. Only sensible for passages that come best first from an earlier stage.
  std::optional<double> margin = {};
  size_t block = 8;
};

struct RankedPassage {
  size_t index = 0;             // among those given
  std::optional<double> score = {};  // nothing where it was not looked at
  bool truncated = false;
};

// Best first, `top` of them; of equal scores the one given first. Errors: those of score().
Result<std::vector<RankedPassage>> rank_passages(Reranker& reranker, const std::string& query,
                                                 std::span<const std::string> passages,
                                                 const RankingOptions& options,
                                                 const StopFlag& stop);

}  // namespace tinyarms::engine
