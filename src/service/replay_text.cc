// The report of `tinyarms replay` as JSON and for people.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "service/replay.h"

namespace tinyarms::service {
namespace {

using Json = nlohmann::ordered_json;

Json pair(const calibration::Interval& interval) { return {interval.low, interval.high}; }

Json off_policy_json(const calibration::OffPolicyEstimate& estimate) {
  Json json = {{"accuracy", nullptr}, {"interval", nullptr}, {"seconds", nullptr}};
  if (estimate.accuracy) {
    json["accuracy"] = *estimate.accuracy;
    json["interval"] = pair(estimate.accuracy_interval);
  }
  if (estimate.cost) json["seconds"] = *estimate.cost;
  json["effective_decisions"] = estimate.effective;
  json["unsupported_share"] = estimate.unsupported_share;
  json["cannot_say"] = estimate.why_not.empty() ? Json(nullptr) : Json(estimate.why_not);
  return json;
}

}  // namespace

std::string replay_json(const ReplayReport& report) {
  const bool known = report.fates.known() > 0;
  const auto side = [&](double accuracy, const calibration::Interval& interval, double seconds,
                        const std::array<size_t, 5>& given) {
    return Json{{"accuracy", known ? Json(accuracy) : Json(nullptr)},
                {"accuracy_interval", known ? pair(interval) : Json(nullptr)},
                {"seconds", seconds},
                {"given", given}};
  };
  const Json json = {
      {"decisions", report.decisions},
      {"changed", report.changed},
      {"beyond_log", report.beyond_log},
      {"rescue", report.fates.rescue},
      {"loss", report.fates.loss},
      {"safe", report.fates.safe},
      {"hard", report.fates.hard},
      {"unknown", report.fates.unknown},
      {"before", side(report.accuracy_before, report.before_interval, report.seconds_before,
                      report.given_before)},
      {"after", side(report.accuracy_after, report.after_interval, report.seconds_after,
                     report.given_after)},
      {"early_abort",
       {{"drafts", report.drafts_watched},
        {"stopped", report.drafts_stopped},
        {"tokens", report.tokens_watched},
        {"tokens_saved", report.tokens_saved}}},
      {"off_policy", report.off_policy ? off_policy_json(*report.off_policy) : Json(nullptr)},
      {"notes", report.notes}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string replay_text(const ReplayReport& report) {
  const calibration::Fates& fates = report.fates;
  std::string text =
      fmt::format("{} decisions, {} with another answer, {} beyond what the log knows\n"
                  "  RESCUE {}  LOSS {}  SAFE {}  HARD {}  unknown {}\n",
                  report.decisions, report.changed, report.beyond_log, fates.rescue, fates.loss,
                  fates.safe, fates.hard, fates.unknown);
  if (fates.known() > 0) {
    text += fmt::format("  accuracy {:.4f} [{:.4f}, {:.4f}] → {:.4f} [{:.4f}, {:.4f}]\n",
                        report.accuracy_before, report.before_interval.low,
                        report.before_interval.high, report.accuracy_after,
                        report.after_interval.low, report.after_interval.high);
  } else {
    text += "  accuracy: no outcome is known (tinyarms feedback)\n";
  }
  text += fmt::format("  cost {:.4g} → {:.4g} a question\n", report.seconds_before,
                      report.seconds_after);
  if (report.drafts_stopped > 0) {
    text += fmt::format("  early abort: {} of {} drafts stopped, {} of {} decoded tokens saved\n",
                        report.drafts_stopped, report.drafts_watched, report.tokens_saved,
                        report.tokens_watched);
  }
  if (report.off_policy && report.off_policy->accuracy) {
    text += fmt::format("  off-policy: accuracy {:.4f} [{:.4f}, {:.4f}], worth {:.0f} decisions\n",
                        *report.off_policy->accuracy, report.off_policy->accuracy_interval.low,
                        report.off_policy->accuracy_interval.high, report.off_policy->effective);
  } else if (report.off_policy) {
    text += fmt::format("  off-policy: cannot say: {}\n", report.off_policy->why_not);
  }
  for (const std::string& note : report.notes) text += "note: " + note + "\n";
  return text;
}

}  // namespace tinyarms::service
