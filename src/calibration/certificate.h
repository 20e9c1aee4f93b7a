// "Of the answers kept at this threshold at most α are wrong, with confidence 1 − δ."
//
// Learn then Test (Angelopoulos et al. 2021): the threshold is an order statistic of the scores,
// given which the m answers scoring above it are a random sample of all such answers, so that
// P(Binomial(m, α) ≤ wrong) is an exact p-value of "the risk there is ≥ α". Thresholds are tested
// from strict to lax in a fixed order, each chain stopping at its first failure; five chains, from
// 1/16, 1/8, 1/4, 1/2 and 3/4 of the records, share δ evenly. The laxest passing one is certified.
// No assumption but that records and later questions are drawn alike.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "calibration/scored.h"
#include "calibration/special_functions.h"

namespace tinyarms::calibration {

struct RiskTarget {
  double alpha = 0.1;   // (0, 1): the share of wrong answers among the kept
  double delta = 0.05;  // (0, 1)
};

// Errors: InvalidArgument.
Result<void> check_target(const RiskTarget& target);

struct Certified {
  double threshold = 0;  // kept is what scores at least this
  size_t records = 0;
  size_t kept = 0;   // of the records
  size_t wrong = 0;  // of the kept
  double bound = 0;  // upper Clopper–Pearson bound on the risk at the chain's share of δ
};

// `items`: outcomes 0 or 1, weights ignored, any order. Nothing where no threshold passes, e.g.
// with fewer than log δ' / log(1 − α) records.
std::optional<Certified> certify(std::span<const Scored> items, const RiskTarget& target);

// What was promised, on what evidence, and under which hashes.
struct Certificate {
  std::string tier{};
  std::string score{};
  RiskTarget target{};
  // Of everything that serves: "model", "calibrator", "engine", … → hash.
  std::map<std::string, std::string, std::less<>> hashes{};
  std::optional<Certified> pooled{};
  std::map<std::string, Certified, std::less<>> groups{};

  // The group's own statement, else the pooled one (which speaks of the mix of groups in the
  // records, not of this group alone), else nothing: then no answer may be called certified.
  const Certified* for_group(std::string_view group) const;
};

struct GroupedItem {
  Scored item{};
  std::string group{};
};

// All statements hold together with probability ≥ 1 − δ: each gets an equal part of it. Groups of
// fewer than `group_records_min` records get none of their own.
Certificate certify_groups(std::span<const GroupedItem> items, const RiskTarget& target,
                           size_t group_records_min = 100);

// Errors: Unsupported: the certificate is void, naming what changed, is missing or is new.
Result<void> check_certificate(const Certificate& certificate,
                               const std::map<std::string, std::string, std::less<>>& serving);

std::string certificate_json(const Certificate& certificate);
// Hostile until checked. Errors: Corrupt, Unsupported (a later version).
Result<Certificate> parse_certificate(std::string_view text, const std::string& where);

// One sentence a statement, for people.
std::string certificate_text(const Certificate& certificate);

struct ResplitReport {
  size_t splits = 0;
  size_t certified = 0;         // splits in which a threshold was certified
  size_t violations = 0;        // of these, where the risk over all records exceeds α
  size_t held_out_above = 0;    // where the held-out half alone shows more than α, noise included
  double coverage_mean = 0;     // share kept of the held-out half, over the certified splits
  double bound = 0;             // δ + 3 standard errors of the simulation
};

// Certifies on a random half of the records again and again. The whole file is the population: a
// half is a random sample of it, so that its risk is known exactly and `violations` may not exceed
// δ · splits but for the simulation's error.
ResplitReport verify_by_resplits(std::span<const Scored> items, const RiskTarget& target,
                                 size_t splits, uint64_t seed);

}  // namespace tinyarms::calibration
