#include "calibration/group_ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace tinyarms::calibration {

GroupRanking::GroupRanking(std::span<const double> scores, std::span<const double> right,
                           std::span<const uint32_t> groups) {
  for (size_t row = 0; row < scores.size(); ++row) {
    if (std::isnan(scores[row])) continue;
    by_score_.push_back({groups[row], static_cast<uint32_t>(row), scores[row], right[row] > 0.5});
  }
  by_group_ = by_score_;
  std::sort(by_score_.begin(), by_score_.end(),
            [](const Entry& a, const Entry& b) { return a.score < b.score; });
  std::sort(by_group_.begin(), by_group_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.group, a.score) < std::tie(b.group, b.score);
  });
}

// The pairs won, a tie counting half; `pairs` is how many there are.
double GroupRanking::rank(std::span<const Entry> sorted, std::span<const double> weights,
                          double& pairs) {
  double won = 0;
  double wrong_below = 0;
  double right_all = 0;
  for (size_t begin = 0; begin < sorted.size();) {
    double right = 0;
    double wrong = 0;
    size_t end = begin;
    for (; end < sorted.size() && sorted[end].score == sorted[begin].score; ++end) {
      (sorted[end].right ? right : wrong) += weights[sorted[end].row];
    }
    won += right * (wrong_below + 0.5 * wrong);
    wrong_below += wrong;
    right_all += right;
    begin = end;
  }
  pairs = right_all * wrong_below;
  return won;
}

double GroupRanking::overall(std::span<const double> weights) const {
  double pairs = 0;
  const double won = rank(by_score_, weights, pairs);
  return pairs > 0 ? won / pairs : std::numeric_limits<double>::quiet_NaN();
}

double GroupRanking::within(std::span<const double> weights) const {
  const std::span<const Entry> all(by_group_);
  double won = 0;
  double pairs = 0;
  for (size_t begin = 0; begin < all.size();) {
    size_t end = begin;
    while (end < all.size() && all[end].group == all[begin].group) ++end;
    double of_group = 0;
    won += rank(all.subspan(begin, end - begin), weights, of_group);
    pairs += of_group;
    begin = end;
  }
  return pairs > 0 ? won / pairs : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace tinyarms::calibration
