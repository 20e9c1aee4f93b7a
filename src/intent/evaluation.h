// How well a head does on questions whose kind is known: the confusion matrix and what follows
// from it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "intent/example.h"
#include "intent/head.h"

namespace tinyarms::intent {

struct Evaluation {
  std::vector<std::string> classes;         // the head's, then others that the examples name
  std::vector<std::vector<size_t>> counts;  // [what it is][what it was taken for]
  size_t items = 0;
  size_t right = 0;
  double log_loss = 0;          // nats; a class that the head lacks counts as 1e-6
  double calibration_error = 0;  // expected, ten bins of the winner's probability

  double accuracy() const;
  double recall(size_t of) const;     // of what it is; NaN without items
  double precision(size_t of) const;  // of what was taken for it; NaN without

  // Of the items that are one of these two, the share that were not taken for the other: what
  // decides which model is asked. `items` gets how many there are. NaN without items.
  double apart(std::string_view one, std::string_view other, size_t& items_of_both) const;
};

// One vector an example, of the head's size.
Evaluation evaluate(const Head& head, std::span<const Example> examples,
                    std::span<const std::vector<float>> vectors);

}  // namespace tinyarms::intent
