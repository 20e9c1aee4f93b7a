// The loop: cheapest tier first, stop at the first that is sure enough.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cascade/climb_memory.h"
#include "cascade/policy.h"
#include "cascade/tier.h"

namespace tinyarms::cascade {

struct Reply {
  std::string id;  // under which the climb was logged; empty where it was not
  Trace trace;
  std::optional<size_t> winner;  // index into the trace of the answer given, if any
  bool sure = false;             // whether the policy accepted it
  bool interrupted = false;      // the answer is what there was when the user stopped it

  const Step* step() const { return winner ? &trace[*winner] : nullptr; }
};

// When the tier above begins while the one below writes: where such questions climbed more often
// than not (`climbs`), or always.
struct Headstarts {
  ClimbMemory* climbs = nullptr;  // outlives the cascade; null: never
  bool always = false;
};

// Const after it was made: as thread-safe as its tiers and policy. Holds no state between climbs.
class Cascade {
 public:
  // Tiers in climbing order; a level may have several (specialists), each tried in turn.
  Cascade(std::vector<std::unique_ptr<Tier>> tiers, const Policy& policy, const Clock& clock,
          Headstarts headstarts = {});

  // Never fails: what went wrong is in the trace. Where no tier was sure, the reply is the
  // highest tier's answer with `sure == false`: answers of different models cannot be compared
  // by an uncalibrated number, but more capable tiers come later. A draft that was given up for a
  // tier that then did not answer is asked for again, to its end, as a step of its own.
  Reply run(const Request&, const StopFlag&, Listener&) const;

  // What `run` would do at most, without asking a tier: a Skip step, or an Escalate step that
  // names who would be asked. Loads nothing.
  Trace plan(const Request&) const;

 private:
  // One climb under way. `tier` is the index of the one at hand.
  struct Climb {
    const Request& request;
    const Trace& so_far;
    double started;
    size_t tier;
    bool last_word = false;  // nobody above is asked any more
  };
  // What a tier above has begun meanwhile.
  struct Ahead {
    std::unique_ptr<Headstart> work;
    size_t tier = 0;
    std::optional<HeadstartReport> report;  // when that tier was asked; nothing before
  };
  std::optional<std::string> skip_reason(const Climb&, size_t tier) const;
  std::optional<size_t> next_above(const Climb&) const;
  void begin_above(const Climb&, size_t above, Ahead&) const;
  void settle(const Climb&, Ahead&, Step&) const;
  double seconds_spent(const Climb&) const;
  Step ask(const Climb&, Ahead&, const StopFlag&, Listener&) const;
  Situation situation(const Climb&, size_t tier) const;
  Situation situation_of_answer(const Climb&) const;
  void judge(const Climb&, Step&) const;

  std::vector<std::unique_ptr<Tier>> tiers_;
  const Policy& policy_;
  const Clock& clock_;
  Headstarts headstarts_;
};

}  // namespace tinyarms::cascade
