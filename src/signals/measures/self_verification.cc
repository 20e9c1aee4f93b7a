// What the model that answered says when it is asked whether it was right.
#include "signals/registry.h"
#include "signals/verification.h"

namespace tinyarms::signals {
namespace {

Result<std::optional<double>> measure_self_verification(const Occasion& occasion,
                                                        const Instruments& instruments) {
  return probability_of_yes(occasion, instruments.ask_same);
}

}  // namespace

const Signal kSelfVerification = {.name = "p_true",
                                  .meaning = "the same model's P(Yes) that the answer is right",
                                  .low = 0,
                                  .high = 1,
                                  .cost = Cost::Prefill,
                                  .measure = measure_self_verification};

}  // namespace tinyarms::signals
