#include "calibration/signal_worth.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "base/nearest.h"
#include "calibration/cross_fit.h"
#include "calibration/group_ranking.h"
#include "calibration/training_set.h"

namespace tinyarms::calibration {
namespace {

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

// A row of the table before it is measured: a score of every row of the set.
struct WorthCandidate {
  SignalWorth worth{};
  std::vector<double> scores{};
};

class Bootstrap {
 public:
  Bootstrap(const TrainingSet& set, const WorthRequest& request)
      : set_(set), options_(request.bootstrap) {
    std::set<std::string> names(set.group.begin(), set.group.end());
    const std::vector<std::string> sorted(names.begin(), names.end());
    for (const std::string& group : set.group) {
      const auto at = std::lower_bound(sorted.begin(), sorted.end(), group);
      groups_.push_back(static_cast<uint32_t>(at - sorted.begin()));
    }
    group_count_ = sorted.size();
  }

  size_t groups() const { return group_count_; }

  // Fills in everything that is estimated. Every call draws the same resamples.
  void measure(WorthCandidate& candidate, const std::vector<double>& base) const {
    std::vector<double> own = candidate.scores;
    std::vector<double> other = base;
    for (size_t row = 0; row < own.size(); ++row) {
      if (std::isnan(own[row]) || std::isnan(other[row])) own[row] = other[row] = kNotMeasured;
    }
    const GroupRanking alone(candidate.scores, set_.right, groups_);
    const GroupRanking paired(own, set_.right, groups_);
    const GroupRanking against(other, set_.right, groups_);
    const auto figures = [&](const std::vector<double>& weights) {
      const bool several = group_count_ > 1;
      return std::array<double, 4>{
          alone.overall(weights), several ? alone.within(weights) : kNotMeasured,
          paired.overall(weights) - against.overall(weights),
          several ? paired.within(weights) - against.within(weights) : kNotMeasured};
    };
    const auto values = figures(std::vector<double>(set_.size(), 1));
    std::array<std::vector<double>, 4> replicates;
    Random random(options_.seed);
    std::vector<double> weights(set_.size());
    for (size_t round = 0; round < options_.resamples; ++round) {
      std::fill(weights.begin(), weights.end(), 0);
      for (size_t i = 0; i < set_.size(); ++i) weights[random.below(set_.size())] += 1;
      const auto drawn = figures(weights);
      for (size_t f = 0; f < drawn.size(); ++f) replicates[f].push_back(drawn[f]);
    }
    SignalWorth& worth = candidate.worth;
    const std::array<Estimate*, 4> estimates = {&worth.auroc, &worth.within, &worth.gain,
                                                &worth.gain_within};
    for (size_t f = 0; f < estimates.size(); ++f) {
      estimates[f]->value = values[f];
      estimates[f]->interval =
          bootstrap_interval(values[f], replicates[f], 1, options_.confidence);
    }
  }

  // Whether low values speak for right answers, over all rows that have one.
  bool turned(const std::vector<double>& scores) const {
    const GroupRanking ranking(scores, set_.right, groups_);
    return ranking.overall(std::vector<double>(set_.size(), 1)) < 0.5;
  }

 private:
  const TrainingSet& set_;
  BootstrapOptions options_;
  std::vector<uint32_t> groups_;
  size_t group_count_ = 0;
};

WorthCandidate single(const TrainingSet& set, size_t column, const Bootstrap& bootstrap) {
  WorthCandidate candidate;
  candidate.worth.name = set.signals[column];
  candidate.scores = set.columns[column];
  candidate.worth.records = static_cast<size_t>(
      std::count_if(candidate.scores.begin(), candidate.scores.end(),
                    [](double value) { return !std::isnan(value); }));
  candidate.worth.turned = bootstrap.turned(candidate.scores);
  if (candidate.worth.turned) {
    for (double& value : candidate.scores) value = -value;
  }
  return candidate;
}

// The held-out probability of the better of two models over the combination's signals.
std::optional<WorthCandidate> together(const TrainingSet& set, const Combination& combination) {
  TrainingSet part;
  WorthCandidate candidate;
  candidate.worth.name = combination.name;
  for (const std::string& name : combination.signals) {
    const auto known = std::find(set.signals.begin(), set.signals.end(), name);
    if (known == set.signals.end()) continue;
    candidate.worth.signals.push_back(name);
    part.columns.push_back(set.columns[static_cast<size_t>(known - set.signals.begin())]);
  }
  if (part.columns.empty()) return std::nullopt;
  part.signals = candidate.worth.signals;
  part.right = set.right;
  part.keys = set.keys;
  auto fit = cross_fit(part, {.families = {Family::Logistic, Family::Stumps}});
  if (!fit) return std::nullopt;
  candidate.worth.records = set.size();
  candidate.scores = std::move(fit->held_out);
  return candidate;
}

Result<const TierColumns*> tier_to_judge(const Dataset& data, const std::string& name) {
  if (name.empty()) return &data.tiers.front();
  if (const TierColumns* tier = data.find_tier(name)) return tier;
  std::vector<std::string> known;
  for (const TierColumns& tier : data.tiers) known.push_back(tier.name);
  return Error{ErrorCode::InvalidArgument, fmt::format("no tier `{}` in the records", name), "",
               fmt::format("known: {}", fmt::join(known, ", "))};
}

Result<size_t> find_base(const TrainingSet& set, const std::string& base) {
  const auto known = std::find(set.signals.begin(), set.signals.end(), base);
  if (known != set.signals.end()) return static_cast<size_t>(known - set.signals.begin());
  const auto close = nearest(base, set.signals);
  return Error{ErrorCode::InvalidArgument, fmt::format("the records have no signal `{}`", base), "",
               fmt::format("{}known: {}", close ? "did you mean `" + *close + "`? " : "",
                           fmt::join(set.signals, ", "))};
}

}  // namespace

Result<WorthReport> measure_worth(const WorthRequest& request) {
  auto data = load_dataset(request.files, {.read = request.read});
  if (!data) return data.error();
  auto tier = tier_to_judge(*data, request.tier);
  if (!tier) return tier.error();
  auto set = training_set(*data, **tier, {});
  if (!set) return set.error();
  auto base = find_base(*set, request.base);
  if (!base) return base.error();

  const Bootstrap bootstrap(*set, request);
  WorthReport report{.tier = (*tier)->name, .base = request.base, .records = set->size()};
  report.right =
      static_cast<size_t>(std::count(set->right.begin(), set->right.end(), 1.0));
  report.groups = bootstrap.groups();
  report.confidence = request.bootstrap.confidence;
  if (report.right == 0 || report.right == report.records) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("all {} answers of tier `{}` are {}: there is nothing to tell apart",
                             report.records, report.tier, report.right == 0 ? "wrong" : "right"),
                 "", "give records with right and wrong answers"};
  }
  const std::vector<double> base_scores = single(*set, *base, bootstrap).scores;
  for (size_t column = 0; column < set->columns.size(); ++column) {
    WorthCandidate candidate = single(*set, column, bootstrap);
    bootstrap.measure(candidate, base_scores);
    report.signals.push_back(std::move(candidate.worth));
  }
  std::stable_sort(report.signals.begin(), report.signals.end(),
                   [](const SignalWorth& a, const SignalWorth& b) {
                     return !std::isnan(a.auroc.value) &&
                            (std::isnan(b.auroc.value) || a.auroc.value > b.auroc.value);
                   });
  for (const Combination& combination : request.combinations) {
    auto candidate = together(*set, combination);
    if (!candidate) {
      report.notes.push_back(
          fmt::format("“{}”: the records have none of its signals, or too few answers of one class",
                      combination.name));
      continue;
    }
    bootstrap.measure(*candidate, base_scores);
    report.combinations.push_back(std::move(candidate->worth));
  }
  return report;
}

}  // namespace tinyarms::calibration
