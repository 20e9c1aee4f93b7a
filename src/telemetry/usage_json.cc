#include <cmath>
#include <nlohmann/json.hpp>

#include "telemetry/usage_report.h"

namespace tinyarms::telemetry {
namespace {

using Json = nlohmann::ordered_json;

Json share_json(size_t part, size_t whole) {
  return whole == 0 ? Json(nullptr)
                    : Json(static_cast<double>(part) / static_cast<double>(whole));
}

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json seconds_json(const Seconds& seconds) {
  if (seconds.count == 0) {
    return {{"count", 0}, {"total", 0}, {"mean", nullptr}, {"p50", nullptr}, {"p95", nullptr}};
  }
  return {{"count", seconds.count},
          {"total", seconds.total},
          {"mean", seconds.mean},
          {"p50", seconds.p50},
          {"p95", seconds.p95}};
}

Json tier_json(size_t index, const TierUsage& tier, size_t answered) {
  return {{"tier", tier_name(index)},
          {"asked", tier.asked},
          {"answered", tier.answered},
          {"kept", tier.kept},
          {"share_kept", share_json(tier.kept, tier.answered)},
          {"escalated", tier.escalated},
          {"stopped_early", tier.stopped_early},
          {"abstained", tier.abstained},
          {"failed", tier.failed},
          {"given", tier.given},
          {"utilisation", share_json(tier.given, answered)},
          {"latency_seconds", seconds_json(tier.seconds)},
          {"tokens", tier.tokens},
          {"confidence_mean", tier.judged > 0 ? Json(tier.confidence_mean) : Json(nullptr)},
          {"calibrated", share_json(tier.calibrated, tier.judged)},
          {"good", tier.good},
          {"bad", tier.bad},
          {"sources", Json(tier.sources)}};
}

Json totals_json(const Totals& totals) {
  Json tiers = Json::array();
  for (size_t i = 0; i < kTiers; ++i) {
    tiers.push_back(tier_json(i, totals.tiers[i], totals.answered));
  }
  const size_t hits = totals.cache_exact + totals.cache_similar;
  return {{"decisions", totals.decisions},
          {"answered", totals.answered},
          {"sure", totals.sure},
          {"unanswered", totals.decisions - totals.answered},
          {"latency_seconds", seconds_json(totals.seconds)},
          {"tiers", std::move(tiers)},
          {"cache",
           {{"hits", hits},
            {"exact", totals.cache_exact},
            {"similar", totals.cache_similar},
            {"hit_rate", share_json(hits, totals.decisions)}}},
          {"escalations",
           {{"decisions", totals.escalated},
            {"rate", share_json(totals.escalated, totals.decisions)}}}};
}

Json savings_json(const std::optional<Savings>& savings) {
  if (!savings) return nullptr;
  const double saved = savings->seconds_always - savings->seconds_spent;
  return {{"against", tier_name(savings->tier)},
          {"against_answers", savings->tier_answers},
          {"against_seconds_mean", savings->tier_seconds},
          {"calls_avoided", savings->calls_avoided},
          {"seconds_spent", savings->seconds_spent},
          {"seconds_always", savings->seconds_always},
          {"seconds_saved", saved},
          {"share_saved",
           savings->seconds_always > 0 ? Json(saved / savings->seconds_always) : Json(nullptr)}};
}

Json advice_json(const std::vector<Advice>& advice) {
  Json list = Json::array();
  for (const Advice& one : advice) {
    Json numbers = Json::object();
    for (const auto& [name, value] : one.numbers) numbers[name] = value;
    list.push_back({{"kind", one.kind},
                    {"tier", one.tier.empty() ? Json(nullptr) : Json(one.tier)},
                    {"intent", one.intent.empty() ? Json(nullptr) : Json(one.intent)},
                    {"text", one.text},
                    {"numbers", std::move(numbers)}});
  }
  return list;
}

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::Accept: return "accept";
    case Verdict::Escalate: return "escalate";
    case Verdict::Abstain: return "abstain";
    case Verdict::Fail: return "fail";
    case Verdict::Skip: return "skip";
    case Verdict::Interrupt: return "interrupt";
  }
  return "skip";
}

}  // namespace

Json usage_json(const Usage& usage, const std::vector<Advice>& advice) {
  Json json = {{"version", 1}, {"since", usage.since}, {"until", usage.until}};
  json.update(totals_json(usage.all));
  json["asked_again"] = usage.asked_again;
  json["savings"] = savings_json(usage.savings);
  json["intents"] = Json::array();
  for (const auto& [name, totals] : usage.intents) {
    Json one = {{"intent", name.empty() ? Json(nullptr) : Json(name)}};
    one.update(totals_json(totals));
    json["intents"].push_back(std::move(one));
  }
  json["advice"] = advice_json(advice);
  return json;
}

Json outcomes_json(const std::vector<TierOutcomes>& outcomes) {
  Json list = Json::array();
  for (const TierOutcomes& one : outcomes) {
    Json bins = Json::array();
    for (const OutcomeBin& bin : one.bins) {
      bins.push_back({{"low", bin.low},
                      {"high", bin.high},
                      {"count", bin.count},
                      {"forecast", bin.forecast},
                      {"observed", bin.observed},
                      {"observed_low", bin.observed_low},
                      {"observed_high", bin.observed_high}});
    }
    list.push_back({{"tier", tier_name(one.tier)},
                    {"outcomes", one.outcomes},
                    {"right", one.right},
                    {"calibrated", share_json(one.calibrated, one.outcomes)},
                    {"brier", one.brier},
                    {"ece", one.ece},
                    {"bins", std::move(bins)}});
  }
  return list;
}

Json timeline_json(const std::vector<Moment>& moments) {
  Json list = Json::array();
  for (const Moment& moment : moments) {
    list.push_back({{"from", moment.from},
                    {"given", Json(moment.given)},
                    {"unanswered", moment.unanswered},
                    {"escalated", moment.escalated},
                    {"seconds_p50", moment.seconds_p50}});
  }
  return list;
}

Json decision_json(const Counted& decision) {
  Json steps = Json::array();
  for (const CountedStep& step : decision.steps) {
    steps.push_back({{"tier", tier_name(step.tier)},
                     {"decision", verdict_name(step.verdict)},
                     {"source", step.source},
                     {"confidence", or_null(step.confidence)},
                     {"calibrated", step.calibrated},
                     {"threshold", or_null(step.threshold)},
                     {"seconds", step.seconds},
                     {"tokens", step.tokens},
                     {"good", or_null(step.good)}});
  }
  const CountedStep* winner = decision.winner ? &decision.steps[*decision.winner] : nullptr;
  return {{"id", decision.id},
          {"at", decision.at},
          {"intent", decision.group.empty() ? Json(nullptr) : Json(decision.group)},
          {"tier", winner ? Json(tier_name(winner->tier)) : Json(nullptr)},
          {"sure", decision.sure},
          {"escalated", decision.escalated()},
          {"seconds", decision.seconds()},
          {"steps", std::move(steps)}};
}

}  // namespace tinyarms::telemetry
