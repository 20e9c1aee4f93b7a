// Other terms on decisions that were made: the real cascade climbs again over what was logged, with
// the tiers' answers taken from the log, so that no model runs. What a tier would have said that
// was not asked then is not known, and is never made up.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "calibration/off_policy.h"
#include "calibration/record_reader.h"
#include "cascade/declared_policy.h"
#include "storage/decision_log.h"
#include "tiers/early_abort.h"

namespace tinyarms::service {

// One question of the log: its tiers in climbing order, with what they made of it.
struct ReplayStep {
  cascade::Level level = cascade::Level::L0;
  cascade::Attempt attempt;
  std::optional<bool> right;        // of its answer, where that is known
  double seconds = 0;
  std::optional<bool> kept;         // what was decided then; nothing where nothing was judged
  double propensity = 1;            // of that decision
};

struct ReplayItem {
  std::string id;
  std::string group;
  std::string question;        // empty where it was not kept
  std::vector<ReplayStep> steps;
  std::optional<size_t> winner;  // of the steps, then
  bool more_above = false;       // tiers above the last step were not asked
};

ReplayItem replay_item(const storage::LoggedDecision& logged);

// A decision log (a database) or outcome records (JSONL, docs/calibration-method.md); in these
// every tier answered and nothing was decided. Errors: those of the readers.
Result<std::vector<ReplayItem>> load_replay(const std::filesystem::path& log, const Clock& clock,
                                            const calibration::ReadOptions& options);

struct ReplayReport {
  size_t decisions = 0;
  size_t changed = 0;       // another answer, or none
  size_t beyond_log = 0;    // the new terms ask a tier that was not asked then
  // Replies by the tier that gave them, over the decisions that stay within the log.
  std::array<size_t, 5> given_before{};
  std::array<size_t, 5> given_after{};
  calibration::Fates fates;
  // Over the decisions of known fate.
  double accuracy_before = 0;
  double accuracy_after = 0;
  calibration::Interval before_interval;
  calibration::Interval after_interval;
  // Mean seconds, over all decisions that stay within the log.
  double seconds_before = 0;
  double seconds_after = 0;
  // Drafts whose margins were recorded, with the tests for early abort in force.
  size_t drafts_watched = 0;
  size_t drafts_stopped = 0;
  uint64_t tokens_watched = 0;
  uint64_t tokens_saved = 0;
  std::optional<calibration::OffPolicyEstimate> off_policy;  // decisions only, not records
  std::vector<std::string> notes;
};

// `after` on the items, against what was decided then; where nothing was (records), against
// `before`. Drafts with recorded margins are stopped where `early_aborts` would have done so live;
// their seconds count in full.
ReplayReport replay(const std::vector<ReplayItem>& items, const cascade::Estimator& estimator,
                    const cascade::PolicyTerms& before, const cascade::PolicyTerms& after,
                    const tiers::EarlyAborts& early_aborts = {});

std::string replay_json(const ReplayReport& report);
std::string replay_text(const ReplayReport& report);

}  // namespace tinyarms::service
