// What decides about answers and remembers how it decided: calibrators and certificates, the terms
// of the policy, the guard over the promises made, and the log of decisions; composed from the
// settings. An Assistant has one; `tinyarms replay` and `feedback` use its parts.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/paths.h"
#include "cascade/cascade.h"
#include "cascade/declared_policy.h"
#include "service/calibrated_estimator.h"
#include "service/settings.h"
#include "storage/decision_log_writer.h"

namespace tinyarms::service {

std::filesystem::path decision_log_path(const Paths& paths);

// `read`, the terms of a policy file, over the settings' thresholds and share of chance.
cascade::PolicyTerms complete_terms(cascade::PolicyTerms read, const Settings& settings);

// Thread-safe once made.
class Judgement {
 public:
  // `clock` outlives it. Never fails: what cannot be used is told in `notices`, and then the safer
  // way is taken. Touches the log only where a certificate is to be watched.
  Judgement(const Settings& settings, const Paths& paths, const Clock& clock,
            std::vector<std::string>& notices);

  const cascade::Policy& policy() const { return *policy_; }
  const cascade::Estimator& estimator() const { return estimator_; }

  // What watches drafts while they are written. Valid as long as this object.
  tiers::EarlyAborts early_aborts() const {
    return [this](cascade::Level level, const cascade::Origin& origin, double threshold) {
      return estimator_.early_abort(level, origin, threshold);
    };
  }

  // Logs the climb where the settings ask for it; its id, or "" where it was not logged.
  std::string record(const cascade::Request&, const cascade::Reply&);

 private:
  cascade::PolicyTerms load_terms(const Settings& settings, std::vector<std::string>& notices);
  bool watch(const std::filesystem::path& log, std::vector<std::string>& notices);

  const Clock& clock_;
  bool keep_prompts_;
  double shadow_share_;
  std::function<double()> chance_;
  CalibratedEstimator estimator_;
  std::string policy_hash_;
  std::unique_ptr<cascade::DeclaredPolicy> policy_;
  std::unique_ptr<storage::DecisionLogWriter> writer_;
};

}  // namespace tinyarms::service
