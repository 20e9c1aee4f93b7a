// The default policy: terms as plain values, decisions from them, each with a sentence that says
// why. Where the terms come from (policy.toml) is not its business.
//
// A tier's answer is kept where P(correct) reaches the threshold in force. That is, first found:
//   the request's own (of the route, else of the    what the user typed is not overruled
//   level, else global)
//   the strictest of all rules that match           by group, or by words of the question
//   what the answer is worth                        below
//   the terms' own for the level, else 0.5
// With `worth_of_right` (in the unit of prices) and the price and accuracy of the next tier known,
// climbing pays exactly where P < accuracy_next − price_next / worth: that is the threshold.
// In safe mode (a broken promise was noticed) no threshold but the user's is below
// `safe_threshold`.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cascade/policy.h"

namespace tinyarms::cascade {

// Matches where everything that it names matches; one that names nothing matches nothing.
struct PolicyRule {
  std::string name = {};                // for the trace
  std::string group = {};               // the question's group or intent; empty: any
  std::vector<std::string> words = {};  // one of them stands in the question, whatever its case
  std::optional<Level> at_least = {};   // lower models are not asked
  std::optional<Level> at_most = {};    // higher ones are not asked
  std::optional<double> threshold = {};         // at every level
  std::map<Level, double> thresholds = {};  // of one level

  bool matches(const std::string& question, const std::string& question_group) const;
};

// What asking a tier takes and gives, as far as it was measured.
struct TierTerms {
  std::optional<double> threshold = {};
  std::optional<double> price = {};     // in any one unit, the same for all tiers
  std::optional<double> seconds = {};   // a typical attempt
  std::optional<double> accuracy = {};  // of its answers to questions that reach it
};

struct PolicyTerms {
  std::map<Level, TierTerms> tiers = {};
  std::vector<PolicyRule> rules = {};
  std::optional<double> worth_of_right = {};  // in the unit of the prices
  std::optional<double> seconds_max = {};     // as the request's; the smaller one holds
  std::optional<double> cost_max = {};        //
  double withhold_below = 0;             // answers of less confidence are not given at all
  bool certified_only = false;           // only answers under a certificate are kept
  double safe_threshold = 1;
  bool safe_mode = false;
  double explore = 0;  // chance to do the other thing, so that what it leads to can be learned
};

class DeclaredPolicy final : public Policy {
 public:
  // `chance`: uniform in [0, 1); needed only to explore.
  DeclaredPolicy(const Estimator& estimator, PolicyTerms terms,
                 std::function<double()> chance = {});

  std::optional<std::string> skip_reason(const Situation&) const override;
  double threshold(const Situation& at) const override { return threshold_for(at).value; }
  Verdict judge(const Situation&, const Attempt&) const override;

 private:
  struct Bar {
    double value = 0;
    std::string owner;  // who set it; empty: the default
    bool binding = false;  // typed by the user, or a rule's: no matter for chance
  };
  std::vector<const PolicyRule*> rules_for(const Situation&) const;
  Bar threshold_for(const Situation&) const;
  std::optional<Bar> threshold_by_worth(Level) const;
  const TierTerms* terms_of(Level) const;
  void explore(const Situation&, Verdict&) const;

  const Estimator& estimator_;
  PolicyTerms terms_;
  std::function<double()> chance_;
};

}  // namespace tinyarms::cascade
