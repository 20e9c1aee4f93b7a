// How clearly the question is of one kind, by L1's embedding: the nearer to the bundled examples of
// one kind alone, the more usual it is.
#include "cascade/evidence.h"
#include "signals/registry.h"

namespace tinyarms::signals {
namespace {

Result<std::optional<double>> measure_intent_margin(const Occasion& occasion, const Instruments&) {
  for (auto step = occasion.so_far.rbegin(); step != occasion.so_far.rend(); ++step) {
    if (auto margin = step->attempt.evidence.number(cascade::signal::kIntentMargin)) return margin;
  }
  return std::optional<double>();
}

}  // namespace

const Signal kIntentMargin = {.name = cascade::signal::kIntentMargin,
                              .meaning = "similarity to the nearest kind of question over the next",
                              .low = 0,
                              .high = 2,
                              .cost = Cost::Text,
                              .measure = measure_intent_margin};

}  // namespace tinyarms::signals
