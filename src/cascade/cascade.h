// The loop: cheapest tier first, stop at the first that is sure enough.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cascade/policy.h"
#include "cascade/tier.h"

namespace tinyarms::cascade {

struct Reply {
  Trace trace;
  std::optional<size_t> winner;  // index into the trace of the answer given, if any
  bool sure = false;             // whether the policy accepted it
  bool interrupted = false;      // the answer is what there was when the user stopped it

  const Step* step() const { return winner ? &trace[*winner] : nullptr; }
};

// Not thread-safe: one climb at a time. Holds no state between climbs.
class Cascade {
 public:
  // Tiers in climbing order; a level may have several (specialists), each tried in turn.
  Cascade(std::vector<std::unique_ptr<Tier>> tiers, const Policy& policy, const Clock& clock);

  // Never fails: what went wrong is in the trace. Where no tier was sure, the reply is the
  // highest tier's answer with `sure == false`: answers of different models cannot be compared
  // by an uncalibrated number, but more capable tiers come later.
  Reply run(const Request&, const StopFlag&, Listener&);

  // What `run` would do at most, without asking a tier: a Skip step, or an Escalate step that
  // names who would be asked. Loads nothing.
  Trace plan(const Request&) const;

 private:
  std::optional<std::string> skip_reason(const Request&, const Tier&, const Trace&) const;
  Step climb(const Request&, Tier&, const Trace&, const StopFlag&, Listener&);

  std::vector<std::unique_ptr<Tier>> tiers_;
  const Policy& policy_;
  const Clock& clock_;
};

}  // namespace tinyarms::cascade
