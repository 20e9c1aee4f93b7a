// Two models of one level asked the same, of whose answers one is taken. A tier of tiers: it knows
// as little of models as the loop does.
//
// A question for a specialist or a model by name, or made to order, is the first one's alone.
// They answer one after the other (docs/specialists.md has what that costs), so that nothing of it
// shows before both are there: the one taken is told at once, whole.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cascade/policy.h"
#include "cascade/tier.h"

namespace tinyarms::cascade {

enum class EnsembleRule {
  Confidence,  // the surer one; between numbers that were not both calibrated the first stands
  Behaviour,   // the one that does more of what the question shows; else as by confidence
};

std::string_view ensemble_rule_name(EnsembleRule rule);  // "confidence", "behaviour"

// What two answers are to each other.
struct Likeness {
  std::optional<double> agreement = {};  // in [0, 1]; nothing where it cannot be told
  // Of the question's own examples, the share that each keeps to. Both, or neither.
  std::optional<double> first_holds = {};
  std::optional<double> second_holds = {};
  std::string problem = {};  // why less could be told than there was to tell
};
using CompareAnswers = std::function<Likeness(const Request&, const Attempt&, const Attempt&)>;

struct EnsembleOptions {
  EnsembleRule rule = EnsembleRule::Confidence;
  const Estimator& estimator;  // outlives the tier
  CompareAnswers compare = {};  // empty: nothing is compared
};

// Keeps nothing between climbs: as thread-safe as its members.
class Ensemble final : public Tier {
 public:
  // Both of one level.
  Ensemble(std::unique_ptr<Tier> first, std::unique_ptr<Tier> second, EnsembleOptions options);

  Level level() const override { return first_->level(); }
  std::string describe() const override;
  Route route(const Request&, const Trace& so_far) const override;
  std::optional<std::string> skip_reason(const Request&, const Trace& so_far) const override;
  Result<Attempt> attempt(const Request& request, const Trace& so_far, const StopFlag& stop,
                          Listener& listener) override {
    return attempt_within({}, request, so_far, stop, listener);
  }
  // Costs are those of both. Errors: the first's, where neither answered.
  Result<Attempt> attempt_within(const Outlook&, const Request&, const Trace& so_far,
                                 const StopFlag&, Listener&) override;
  std::unique_ptr<Headstart> begin(const Request&, const Trace& so_far) override;

 private:
  struct Choice {
    bool second = false;
    std::string why;
  };
  bool first_alone(const Request&, const Trace& so_far) const;
  Attempt take_one(const Request&, Attempt first, Attempt second) const;
  Choice choose(const Attempt& first, const Attempt& second, const Likeness&) const;

  std::unique_ptr<Tier> first_;
  std::unique_ptr<Tier> second_;
  EnsembleOptions options_;
};

}  // namespace tinyarms::cascade
