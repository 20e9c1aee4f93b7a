// A score beside what happened: the one input of every metric.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

namespace tinyarms::calibration {

struct Scored {
  double score = 0;    // finite; higher means more likely right
  double outcome = 0;  // 1 right, 0 wrong; a fraction where the label is soft
  double weight = 1;   // > 0
};

// Ascending by score. What comes of equal scores never depends on their order.
inline void sort_by_score(std::vector<Scored>& items) {
  std::sort(items.begin(), items.end(),
            [](const Scored& a, const Scored& b) { return a.score < b.score; });
}

// One past the last item whose score equals that of items[begin]; items are sorted.
inline size_t end_of_tie(std::span<const Scored> items, size_t begin) {
  size_t end = begin + 1;
  while (end < items.size() && items[end].score == items[begin].score) ++end;
  return end;
}

}  // namespace tinyarms::calibration
