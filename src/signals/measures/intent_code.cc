// Whether L1 takes the question for one about code.
#include "cascade/evidence.h"
#include "signals/registry.h"

namespace tinyarms::signals {
namespace {

Result<std::optional<double>> measure_intent_code(const Occasion& occasion, const Instruments&) {
  const auto intent = cascade::find_text(occasion.so_far, cascade::signal::kIntent);
  if (!intent) return std::optional<double>();
  return std::optional(*intent == "code" ? 1.0 : 0.0);
}

}  // namespace

const Signal kIntentCode = {.name = "intent_code",
                            .meaning = "1 where L1 takes it for a question about code",
                            .low = 0,
                            .high = 1,
                            .cost = Cost::Text,
                            .measure = measure_intent_code};

}  // namespace tinyarms::signals
