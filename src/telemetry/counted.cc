#include "telemetry/counted.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace tinyarms::telemetry {
namespace {

using CountedJson = nlohmann::json;

constexpr size_t kQuestionBytes = 15;  // fits into the string itself
constexpr std::array<std::string_view, kTiers> kTierNames = {"l0", "l1", "l2", "l3", "l4"};

std::optional<size_t> tier_of(std::string_view name) {
  const auto found = std::find(kTierNames.begin(), kTierNames.end(), name);
  if (found == kTierNames.end()) return std::nullopt;
  return static_cast<size_t>(found - kTierNames.begin());
}

std::optional<Verdict> verdict_of(std::string_view name) {
  if (name == "accept") return Verdict::Accept;
  if (name == "escalate") return Verdict::Escalate;
  if (name == "abstain") return Verdict::Abstain;
  if (name == "fail") return Verdict::Fail;
  if (name == "skip") return Verdict::Skip;
  if (name == "interrupt") return Verdict::Interrupt;
  return std::nullopt;
}

std::optional<bool> flag(const CountedJson& evidence, const char* name) {
  if (!evidence.is_object()) return std::nullopt;
  const auto found = evidence.find(name);
  if (found == evidence.end() || !found->is_boolean()) return std::nullopt;
  return found->get<bool>();
}

CountedStep step_of(size_t tier, Verdict verdict, const storage::LoggedStep& logged) {
  CountedStep step{.tier = tier,
                   .verdict = verdict,
                   .answered = logged.answered,
                   .calibrated = logged.calibrated,
                   .source = logged.source,
                   .confidence = logged.confidence,
                   .threshold = logged.threshold,
                   .tokens = std::max<int64_t>(logged.tokens, 0),
                   .good = logged.good};
  // A garbled file must not turn sums into nonsense.
  if (std::isfinite(logged.seconds) && logged.seconds > 0) step.seconds = logged.seconds;
  if (logged.source == "exact cache") step.remembered = Remembered::Exact;
  if (logged.source == "semantic cache") step.remembered = Remembered::Similar;
  const CountedJson evidence = CountedJson::parse(logged.evidence, nullptr, false);
  step.stopped_early = flag(evidence, "stopped_early").value_or(false);
  if (!step.stopped_early) step.finished = flag(evidence, "finished");  // not for want of tokens
  step.parses = flag(evidence, "code_parses");
  return step;
}

}  // namespace

std::string_view tier_name(size_t tier) { return kTierNames[std::min(tier, kTiers - 1)]; }

double Counted::seconds() const {
  double all = 0;
  for (const CountedStep& step : steps) all += step.seconds;
  return all;
}

bool Counted::escalated() const {
  return std::any_of(steps.begin(), steps.end(), [](const CountedStep& step) {
    return step.answered && step.verdict == Verdict::Escalate;
  });
}

Counted counted(const storage::LoggedDecision& logged) {
  Counted made{.id = logged.id,
               .at = std::isfinite(logged.at) ? logged.at : 0,
               .question = logged.question_sha.substr(0, kQuestionBytes),
               .question_bytes = std::max<int64_t>(logged.question_bytes, 0),
               .group = logged.group,
               .sure = logged.sure};
  for (size_t i = 0; i < logged.steps.size(); ++i) {
    const auto tier = tier_of(logged.steps[i].level);
    const auto verdict = verdict_of(logged.steps[i].verdict);
    if (!tier || !verdict) continue;
    if (logged.winner >= 0 && static_cast<size_t>(logged.winner) == i) {
      made.winner = made.steps.size();
    }
    made.steps.push_back(step_of(*tier, *verdict, logged.steps[i]));
  }
  return made;
}

}  // namespace tinyarms::telemetry
