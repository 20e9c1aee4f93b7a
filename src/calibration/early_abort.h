// Stopping a hopeless draft: which running test (calibration/running_margin.h) ends drafts of a
// tier early, fitted so that stopping costs little.
//
// A stopped draft is lost where it would have been right and kept: what the policy would have
// escalated anyway, or kept although it was wrong, loses nothing by it. The promise is "of the
// drafts that the test stops at most `lost_max` are lost, with that confidence". Every test tried
// gets its boundary from certify() (Learn then Test, calibration/certificate.h) over the peaks of
// the records and an equal part of 1 − confidence, so that taking the best of them needs no other
// records. Of those certified, the one that saves most tokens is taken.
//
// Nothing is fitted where no test can promise it, nor where stopping all drafts would keep the
// promise: margins then have nothing to say, and the tier should not be asked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "calibration/calibrator_file.h"
#include "calibration/metrics.h"
#include "calibration/running_margin.h"

namespace tinyarms::calibration {

struct WatchedAnswer {
  std::vector<uint8_t> steps{};  // of its tokens' margins; empty: chosen, not written
  bool right = false;
  bool kept = false;         // by the tier's threshold
  bool right_above = false;  // of what the tiers above would answer instead
  uint64_t key = 0;          // of the record; decides its fold

  bool lost() const { return right && kept; }
};

struct EarlyAbortTarget {
  double lost_max = 0.05;    // (0, 1), of the stopped drafts
  double confidence = 0.95;  // (0, 1)
};

struct EarlyAbortFit {
  MarginTest test{};
  EarlyAbortTarget target{};
  size_t watched = 0;  // drafts in the records
  size_t stopped = 0;  // of these, by the test
  size_t lost = 0;     // of the stopped
  double bound = 1;    // upper Clopper–Pearson bound on the share lost; ≤ target.lost_max
};

struct EarlyAbortChoice {
  std::optional<EarlyAbortFit> fit{};
  std::string why_not{};  // where there is none
};

EarlyAbortChoice fit_early_abort(std::span<const WatchedAnswer> answers,
                                 const EarlyAbortTarget& target);

// What stopping did to a set of answers.
struct EarlyAbortOutcome {
  size_t answers = 0;  // all, chosen ones too
  size_t watched = 0;
  size_t stopped = 0;
  size_t lost = 0;
  uint64_t tokens = 0;  // decoded without stopping
  uint64_t saved = 0;   // of these
  double accuracy_before = 0;  // of the cascade from this tier on
  double accuracy_after = 0;
  Interval lost_share{};       // Clopper–Pearson; of the stopped
  std::optional<Interval> saved_share{};      // bootstrap over answers; of the tokens
  std::optional<Interval> accuracy_change{};  //
};

EarlyAbortOutcome replay_early_abort(std::span<const WatchedAnswer> answers, const MarginTest& test,
                                     const BootstrapOptions& options);

// Every answer under the test that was fitted to the other folds, or to its end where none could
// be: what the fit is worth on records that it has not seen.
struct HeldOutEarlyAbort {
  EarlyAbortOutcome outcome{};
  size_t folds = 0;
  size_t fitted = 0;  // folds with a test
};
HeldOutEarlyAbort held_out_early_abort(std::span<const WatchedAnswer> answers,
                                       const EarlyAbortTarget& target,
                                       const BootstrapOptions& options);

// On disk, bound to what served the answers, to the calibrator that says what is kept (the hash of
// its file), and to the least threshold under which the promise holds.
struct EarlyAbortFile {
  std::string tier{};
  ServingIdentity identity{};
  std::string calibrator{};
  double kept_from = 0;
  EarlyAbortFit fit{};
};

std::string early_abort_json(const EarlyAbortFile& file);
// Hostile until checked. Errors: Corrupt, Unsupported (a later version).
Result<EarlyAbortFile> parse_early_abort(std::string_view text, const std::string& where);

// "of such drafts at most 5 % would have been right and kept, with confidence 95 %"
std::string promise_text(const EarlyAbortTarget& target);

}  // namespace tinyarms::calibration
