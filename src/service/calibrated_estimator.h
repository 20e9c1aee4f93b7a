// P(correct) by fitted calibrators, where one belongs to what served the answer; else by the
// formula, said to be uncalibrated and why. Certificates are held against what serves at every
// answer, and are void when anything they are bound to changed.
//
// A calibrator is chosen by tier, model, quantisation, engine build and sampler, then by the
// question's group, else pooled. One of another set-up is refused (calibration/calibrator_file.h)
// unless `allow_foreign`.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "calibration/calibrator_file.h"
#include "calibration/certificate.h"
#include "calibration/early_abort.h"
#include "calibration/jitter.h"
#include "cascade/formula_estimator.h"
#include "tiers/early_abort.h"

namespace tinyarms::service {

// The build that runs local models, as measurements are bound to it.
std::string engine_build();

class CalibratedEstimator final : public cascade::Estimator {
 public:
  struct LoadedSet {
    calibration::CalibratorSet set;
    std::string hash;  // of the file
  };
  struct LoadedCertificate {
    calibration::Certificate certificate;
    std::string hash;
    std::string revoked;  // why it no longer holds whatever serves; empty: it may hold
  };

  // Reads files, and of folders calibrator-*.json, certificate-*.json, jitter-*.json and
  // early-abort-*.json. What cannot be read is left out and told in `notices`.
  static CalibratedEstimator load(const std::vector<std::string>& paths, bool allow_foreign,
                                  std::vector<std::string>& notices);

  // Thread-safe while `certificates()` is not changed.
  cascade::Confidence estimate(cascade::Level, const cascade::Attempt&) const override;

  // The test that was fitted for drafts of that level and origin beside the calibrator in use, and
  // for a threshold no higher than this one; else why there is none. Never of another set-up, not
  // even with `allow_foreign`: its promise would be void. Thread-safe.
  tiers::EarlyAbort early_abort(cascade::Level, const cascade::Origin&, double threshold) const;

  bool empty() const { return sets_.empty() && certificates_.empty() && jitters_.empty(); }
  std::vector<LoadedCertificate>& certificates() { return certificates_; }

  // The first certificate that covers this answer, by its hash; empty where none does.
  std::string covering(cascade::Level, const cascade::Attempt&) const;

 private:
  struct Chosen {
    const LoadedSet* set = nullptr;
    bool foreign = false;
    std::string refusal;  // where there is none
  };
  Chosen choose(cascade::Level, const cascade::Origin&) const;
  void load_file(const std::filesystem::path& file, std::vector<std::string>& notices);
  const calibration::JitterFile* jitter_of(const cascade::Attempt&) const;
  const LoadedCertificate* certify(cascade::Level, const cascade::Attempt&, const Chosen&,
                                   const cascade::Confidence& confidence,
                                   std::string& statement) const;

  bool allow_foreign_ = false;
  std::vector<LoadedSet> sets_;
  std::vector<LoadedCertificate> certificates_;
  std::vector<calibration::JitterFile> jitters_;
  std::vector<calibration::EarlyAbortFile> early_aborts_;
  cascade::FormulaEstimator formula_;
};

}  // namespace tinyarms::service
