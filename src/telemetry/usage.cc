#include "telemetry/usage.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace tinyarms::telemetry {
namespace {

double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - std::floor(at)) * (sorted[high] - sorted[low]);
}

// Sums up one kind of question, or all.
class Adding {
 public:
  void add(const Counted& decision) {
    ++totals_.decisions;
    totals_.escalated += decision.escalated() ? 1 : 0;
    seconds_.push_back(decision.seconds());
    totals_.question_bytes += static_cast<double>(decision.question_bytes);
    for (const CountedStep& step : decision.steps) add_step(step);
    if (!decision.winner) return;
    ++totals_.answered;
    totals_.sure += decision.sure ? 1 : 0;
    const CountedStep& winner = decision.steps[*decision.winner];
    ++totals_.tiers[winner.tier].given;
    totals_.cache_exact += winner.remembered == Remembered::Exact ? 1 : 0;
    totals_.cache_similar += winner.remembered == Remembered::Similar ? 1 : 0;
  }

  Totals take() {
    totals_.seconds = summary_of(std::move(seconds_));
    for (size_t i = 0; i < kTiers; ++i) {
      TierUsage& tier = totals_.tiers[i];
      tier.seconds = summary_of(std::move(tier_seconds_[i]));
      if (tier.judged > 0) tier.confidence_mean /= static_cast<double>(tier.judged);
    }
    return std::move(totals_);
  }

 private:
  void add_step(const CountedStep& step) {
    if (step.verdict == Verdict::Skip) return;
    TierUsage& tier = totals_.tiers[step.tier];
    ++tier.asked;
    tier.abstained += step.verdict == Verdict::Abstain ? 1 : 0;
    tier.failed += step.verdict == Verdict::Fail ? 1 : 0;
    tier.tokens += step.tokens;
    tier_seconds_[step.tier].push_back(step.seconds);
    if (!step.answered) return;
    ++tier.answered;
    ++tier.sources[step.source];
    tier.kept += step.verdict == Verdict::Accept ? 1 : 0;
    tier.escalated += step.verdict == Verdict::Escalate ? 1 : 0;
    tier.stopped_early += step.stopped_early ? 1 : 0;
    if (step.confidence) {
      ++tier.judged;
      tier.confidence_mean += *step.confidence;
      tier.calibrated += step.calibrated ? 1 : 0;
    }
    if (step.good) ++(*step.good ? tier.good : tier.bad);
  }

  Totals totals_;
  std::vector<double> seconds_;
  std::array<std::vector<double>, kTiers> tier_seconds_;
};

bool asked_tier(const Counted& decision, size_t tier) {
  return std::any_of(decision.steps.begin(), decision.steps.end(), [&](const CountedStep& step) {
    return step.tier == tier && step.verdict != Verdict::Skip;
  });
}

std::optional<Savings> savings_of(std::span<const Counted> decisions) {
  std::array<size_t, kTiers> answers{};
  std::array<double, kTiers> seconds{};
  for (const Counted& decision : decisions) {
    for (const CountedStep& step : decision.steps) {
      if (!step.answered || step.tier < kFirstModelTier) continue;
      ++answers[step.tier];
      seconds[step.tier] += step.seconds;
    }
  }
  size_t tier = kTiers - 1;
  while (tier >= kFirstModelTier && answers[tier] == 0) --tier;
  if (tier < kFirstModelTier) return std::nullopt;
  Savings savings{.tier = tier, .tier_answers = answers[tier]};
  savings.tier_seconds = seconds[tier] / static_cast<double>(answers[tier]);
  for (const Counted& decision : decisions) {
    if (!decision.winner) continue;
    savings.calls_avoided += asked_tier(decision, tier) ? 0 : 1;
    savings.seconds_spent += decision.seconds();
    savings.seconds_always += savings.tier_seconds;
  }
  return savings;
}

size_t asked_again(std::span<const Counted> decisions) {
  std::set<std::string> answered;
  size_t again = 0;
  for (const Counted& decision : decisions) {
    if (!decision.winner || decision.question.empty()) continue;
    const bool by_model = decision.steps[*decision.winner].tier >= kFirstModelTier;
    if (!answered.insert(decision.question).second && by_model) ++again;
  }
  return again;
}

}  // namespace

Seconds summary_of(std::vector<double> seconds) {
  Seconds summary{.count = seconds.size()};
  if (seconds.empty()) return summary;
  std::sort(seconds.begin(), seconds.end());
  summary.total = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  summary.mean = summary.total / static_cast<double>(seconds.size());
  summary.p50 = quantile(seconds, 0.5);
  summary.p95 = quantile(seconds, 0.95);
  return summary;
}

Usage usage_of(std::span<const Counted> decisions, double since, double until) {
  Usage usage{.since = since, .until = until};
  Adding all;
  std::map<std::string, Adding> intents;
  for (const Counted& decision : decisions) {
    all.add(decision);
    intents[decision.group].add(decision);
  }
  usage.all = all.take();
  for (auto& [name, adding] : intents) usage.intents[name] = adding.take();
  usage.savings = savings_of(decisions);
  usage.asked_again = asked_again(decisions);
  return usage;
}

std::vector<Moment> timeline(std::span<const Counted> decisions, double since, double until,
                             size_t count) {
  if (count == 0 || !(until > since)) return {};
  std::vector<Moment> moments(count);
  std::vector<std::vector<double>> seconds(count);
  const double length = (until - since) / static_cast<double>(count);
  for (size_t i = 0; i < count; ++i) moments[i].from = since + length * static_cast<double>(i);
  for (const Counted& decision : decisions) {
    if (decision.at < since || decision.at > until) continue;
    const size_t at = std::min(static_cast<size_t>((decision.at - since) / length), count - 1);
    Moment& moment = moments[at];
    moment.escalated += decision.escalated() ? 1 : 0;
    if (decision.winner) {
      ++moment.given[decision.steps[*decision.winner].tier];
    } else {
      ++moment.unanswered;
    }
    seconds[at].push_back(decision.seconds());
  }
  for (size_t i = 0; i < count; ++i) moments[i].seconds_p50 = summary_of(seconds[i]).p50;
  return moments;
}

}  // namespace tinyarms::telemetry
