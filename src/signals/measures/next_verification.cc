// What the next larger model says when it is asked whether the answer is right: a prefill of it
// instead of an answer of its own.
#include "signals/registry.h"
#include "signals/verification.h"

namespace tinyarms::signals {
namespace {

Result<std::optional<double>> measure_next_verification(const Occasion& occasion,
                                                        const Instruments& instruments) {
  return probability_of_yes(occasion, instruments.ask_next);
}

}  // namespace

const Signal kNextVerification = {.name = "p_true_next",
                                  .meaning = "the next model's P(Yes) that the answer is right",
                                  .low = 0,
                                  .high = 1,
                                  .cost = Cost::Prefill,
                                  .measure = measure_next_verification};

}  // namespace tinyarms::signals
