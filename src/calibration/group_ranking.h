// AUROC by counting pairs, over all rows or within groups, as often as a bootstrap wants: the order
// is sorted once, a resample is only weights.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tinyarms::calibration {

class GroupRanking {
 public:
  // One entry a row; rows whose score is NaN take no part. `right` is 1 or 0.
  GroupRanking(std::span<const double> scores, std::span<const double> right,
               std::span<const uint32_t> groups);

  // `weights`: one a row, 0 where a resample left it out. NaN where no pair is left.
  double overall(std::span<const double> weights) const;
  double within(std::span<const double> weights) const;

 private:
  struct Entry {
    uint32_t group = 0;
    uint32_t row = 0;
    double score = 0;
    bool right = false;
  };
  static double rank(std::span<const Entry> sorted, std::span<const double> weights,
                     double& pairs);

  std::vector<Entry> by_score_;
  std::vector<Entry> by_group_;  // by group, then by score
};

}  // namespace tinyarms::calibration
