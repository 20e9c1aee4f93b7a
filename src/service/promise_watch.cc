#include "service/promise_watch.h"

#include <fmt/format.h>

namespace tinyarms::service {

std::string Watched::text() const {
  return fmt::format("{}: {} of {} kept answers were wrong, promised at most {:.3g} %: {} "
                     "(e = {:.3g}, alarm at {:.3g})",
                     tier, guard.wrong(), guard.seen(), 100 * guard.target().alpha,
                     guard.alarmed() ? "the promise is broken" : "no alarm", guard.e_value(),
                     1 / guard.target().delta);
}

Result<std::vector<Watched>> watch_promises(CalibratedEstimator& estimator,
                                            storage::DecisionLog& log) {
  std::vector<Watched> watched;
  for (const CalibratedEstimator::LoadedCertificate& loaded : estimator.certificates()) {
    auto outcomes = log.certified_outcomes(loaded.hash);
    if (!outcomes) return outcomes.error();
    const calibration::RiskTarget& target = loaded.certificate.target;
    Watched& one = watched.emplace_back(
        Watched{loaded.certificate.tier, loaded.hash,
                calibration::DriftGuard({.alpha = target.alpha, .delta = target.delta})});
    for (const storage::CertifiedOutcome& outcome : *outcomes) one.guard.observe(!outcome.good);
  }
  return watched;
}

std::vector<std::string> revoke_broken(CalibratedEstimator& estimator,
                                       const std::vector<Watched>& watched) {
  std::vector<std::string> told;
  for (const Watched& one : watched) {
    if (!one.guard.alarmed()) continue;
    for (CalibratedEstimator::LoadedCertificate& loaded : estimator.certificates()) {
      if (loaded.hash == one.certificate) loaded.revoked = "its promise was broken";
    }
    told.push_back(fmt::format("{}; its certificate is void and the safe setting holds: calibrate "
                               "and certify again",
                               one.text()));
  }
  return told;
}

}  // namespace tinyarms::service
