#include "telemetry/advice.h"

#include <fmt/format.h>

#include <algorithm>

namespace tinyarms::telemetry {
namespace {

constexpr double kSeldomKept = 0.25;   // of a tier's answers, where the next one was asked instead
constexpr double kNear = 0.1;          // a confidence that misses the threshold by less
constexpr double kMany = 0.3;          // share that names a cause
constexpr double kOftenWrong = 0.2;    // of the told outcomes of kept answers
constexpr size_t kOutcomesMin = 10;
constexpr double kFailing = 0.05;
constexpr double kUnanswered = 0.05;
constexpr double kAgain = 0.05;

double share_of(size_t part, size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string percent(size_t part, size_t whole) {
  return fmt::format("{:.0f} % ({} of {})", 100 * share_of(part, whole), part, whole);
}

std::string upper(size_t tier) {
  std::string name(tier_name(tier));
  name[0] = 'L';
  return name;
}

std::string kind_of_question(const std::string& intent) {
  return intent.empty() ? "questions" : intent + " questions";
}

// Why the answers of one tier to one kind of question were not kept, as far as evidence tells.
struct Causes {
  size_t turned_down = 0;
  size_t near = 0;
  size_t cut_off = 0;
  size_t parses_known = 0;
  size_t broken = 0;
  std::vector<double> confidences{};
  std::vector<double> missing{};  // threshold − confidence
};

Causes causes_of(std::span<const Counted> decisions, const std::string& intent, size_t tier) {
  Causes causes;
  for (const Counted& decision : decisions) {
    if (decision.group != intent) continue;
    for (const CountedStep& step : decision.steps) {
      if (step.tier != tier || !step.answered || step.verdict != Verdict::Escalate) continue;
      ++causes.turned_down;
      causes.cut_off += step.finished == false ? 1 : 0;
      causes.parses_known += step.parses ? 1 : 0;
      causes.broken += step.parses == false ? 1 : 0;
      if (!step.confidence || !step.threshold) continue;
      causes.confidences.push_back(*step.confidence);
      causes.missing.push_back(*step.threshold - *step.confidence);
      causes.near += causes.missing.back() < kNear ? 1 : 0;
    }
  }
  return causes;
}

// "Threshold, model or prompt?", answered where the evidence leans to one of them.
std::string suspicion(const Causes& causes, std::vector<std::pair<std::string, double>>& numbers) {
  const double median = summary_of(causes.confidences).p50;
  numbers.emplace_back("turned_down", causes.turned_down);
  numbers.emplace_back("confidence_median", median);
  numbers.emplace_back("near_threshold", causes.near);
  numbers.emplace_back("cut_off", causes.cut_off);
  numbers.emplace_back("does_not_parse", causes.broken);
  if (share_of(causes.cut_off, causes.turned_down) >= kMany) {
    return fmt::format("Prompt or limit: {} of those turned down were cut off; raise "
                       "sampling.max_tokens or ask for less",
                       percent(causes.cut_off, causes.turned_down));
  }
  if (share_of(causes.broken, causes.turned_down) >= kMany) {
    return fmt::format("Model: the code in {} of those turned down does not parse",
                       percent(causes.broken, causes.turned_down));
  }
  if (share_of(causes.near, causes.turned_down) >= 0.5) {
    return fmt::format("Threshold: {} of those turned down miss it by less than {:.1f}; "
                       "`tinyarms replay` tells what a lower one would have done",
                       percent(causes.near, causes.turned_down), kNear);
  }
  return fmt::format("Threshold, model or prompt? The median confidence of those turned down is "
                     "{:.2f}, {:.2f} below the threshold, and neither parsing nor length tells why",
                     median, summary_of(causes.missing).p50);
}

void add_seldom_kept(const Usage& usage, std::span<const Counted> decisions,
                     std::vector<Advice>& all) {
  for (const auto& [intent, totals] : usage.intents) {
    for (size_t t = 2; t + 1 < kTiers; ++t) {
      const TierUsage& tier = totals.tiers[t];
      if (tier.answered < kAdviceDecisionsMin || tier.escalated == 0) continue;
      if (share_of(tier.kept, tier.answered) >= kSeldomKept) continue;
      Advice advice{.kind = "seldom_kept", .tier = std::string(tier_name(t)), .intent = intent};
      advice.numbers = {{"answered", static_cast<double>(tier.answered)},
                        {"kept", static_cast<double>(tier.kept)},
                        {"share_kept", share_of(tier.kept, tier.answered)},
                        {"seconds_spent", tier.seconds.total}};
      const std::string why = suspicion(causes_of(decisions, intent, t), advice.numbers);
      advice.text = fmt::format("{} kept {} of {}. {}.", upper(t),
                                percent(tier.kept, tier.answered), kind_of_question(intent), why);
      all.push_back(std::move(advice));
    }
  }
}

void add_often_wrong(const Usage& usage, std::vector<Advice>& all) {
  for (const auto& [intent, totals] : usage.intents) {
    for (size_t t = 1; t < kTiers; ++t) {
      const TierUsage& tier = totals.tiers[t];
      const size_t told = tier.good + tier.bad;
      if (told < kOutcomesMin || share_of(tier.bad, told) < kOftenWrong) continue;
      all.push_back({.kind = "often_wrong",
                     .tier = std::string(tier_name(t)),
                     .intent = intent,
                     .text = fmt::format("Of {}'s answers to {} whose outcome was told, {} were "
                                         "wrong: raise its threshold, or calibrate it "
                                         "(docs/calibration.md).",
                                         upper(t), kind_of_question(intent),
                                         percent(tier.bad, told)),
                     .numbers = {{"told", static_cast<double>(told)},
                                 {"bad", static_cast<double>(tier.bad)},
                                 {"share_bad", share_of(tier.bad, told)}}});
    }
  }
}

void add_failing(const Usage& usage, std::vector<Advice>& all) {
  for (size_t t = 0; t < kTiers; ++t) {
    const TierUsage& tier = usage.all.tiers[t];
    if (tier.asked < kAdviceDecisionsMin || share_of(tier.failed, tier.asked) < kFailing) continue;
    all.push_back({.kind = "failing",
                   .tier = std::string(tier_name(t)),
                   .text = fmt::format("{} failed in {} of its calls: `tinyarms doctor` tells what "
                                       "is missing.",
                                       upper(t), percent(tier.failed, tier.asked)),
                   .numbers = {{"asked", static_cast<double>(tier.asked)},
                               {"failed", static_cast<double>(tier.failed)}}});
  }
}

void add_of_all(const Usage& usage, std::vector<Advice>& all) {
  const Totals& totals = usage.all;
  const size_t none = totals.decisions - totals.answered;
  if (totals.decisions < kAdviceDecisionsMin) return;
  if (share_of(none, totals.decisions) >= kUnanswered) {
    all.push_back({.kind = "unanswered",
                   .text = fmt::format("Nobody answered {} of the questions: allow a higher tier, "
                                       "or configure one.", percent(none, totals.decisions)),
                   .numbers = {{"decisions", static_cast<double>(totals.decisions)},
                               {"unanswered", static_cast<double>(none)}}});
  }
  if (share_of(usage.asked_again, totals.decisions) >= kAgain) {
    all.push_back({.kind = "asked_again",
                   .text = fmt::format("A model answered {} of the questions anew although the "
                                       "same had been answered: the cache keeps sure answers at "
                                       "temperature 0 (l1.cache, docs/cache.md).",
                                       percent(usage.asked_again, totals.decisions)),
                   .numbers = {{"decisions", static_cast<double>(totals.decisions)},
                               {"asked_again", static_cast<double>(usage.asked_again)}}});
  }
}

}  // namespace

std::vector<Advice> advice_of(const Usage& usage, std::span<const Counted> decisions) {
  std::vector<Advice> all;
  add_often_wrong(usage, all);
  add_failing(usage, all);
  add_seldom_kept(usage, decisions, all);
  add_of_all(usage, all);
  return all;
}

}  // namespace tinyarms::telemetry
