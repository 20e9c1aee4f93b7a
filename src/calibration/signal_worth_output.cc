// The report of signal_worth.h as JSON and for people.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "calibration/signal_worth.h"

namespace tinyarms::calibration {
namespace {

using Json = nlohmann::ordered_json;

Json estimate_json(const Estimate& estimate) {
  Json json = {{"value", std::isfinite(estimate.value) ? Json(estimate.value) : Json(nullptr)},
               {"interval", nullptr}};
  if (estimate.interval) json["interval"] = {estimate.interval->low, estimate.interval->high};
  return json;
}

Json worth_row(const SignalWorth& worth) {
  Json json = {{"name", worth.name},           {"records", worth.records},
               {"turned", worth.turned},       {"auroc", estimate_json(worth.auroc)},
               {"within_groups", estimate_json(worth.within)},
               {"gain", estimate_json(worth.gain)},
               {"gain_within_groups", estimate_json(worth.gain_within)}};
  if (!worth.signals.empty()) json["signals"] = worth.signals;
  return json;
}

std::string cell(const Estimate& estimate, bool sign) {
  if (!std::isfinite(estimate.value)) return fmt::format("{:24}", "–");
  std::string text = sign ? fmt::format("{:+.3f}", estimate.value)
                          : fmt::format("{:.3f}", estimate.value);
  if (estimate.interval) {
    text += sign ? fmt::format(" [{:+.3f}, {:+.3f}]", estimate.interval->low,
                               estimate.interval->high)
                 : fmt::format(" [{:.3f}, {:.3f}]", estimate.interval->low,
                               estimate.interval->high);
  }
  return fmt::format("{:24}", text);
}

std::string line(const SignalWorth& worth) {
  return fmt::format("  {:26} {:>6}  {}  {}  {}  {}\n",
                     (worth.turned ? "−" : "") + worth.name, worth.records,
                     cell(worth.auroc, false), cell(worth.within, false), cell(worth.gain, true),
                     cell(worth.gain_within, true));
}

}  // namespace

std::string worth_json(const WorthReport& report) {
  Json signals = Json::array();
  Json combinations = Json::array();
  for (const SignalWorth& worth : report.signals) signals.push_back(worth_row(worth));
  for (const SignalWorth& worth : report.combinations) combinations.push_back(worth_row(worth));
  const Json json = {{"tier", report.tier},
                     {"base", report.base},
                     {"records", report.records},
                     {"right", report.right},
                     {"groups", report.groups},
                     {"confidence_level", report.confidence},
                     {"signals", signals},
                     {"combinations", combinations},
                     {"notes", report.notes}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string worth_text(const WorthReport& report) {
  std::string text = fmt::format(
      "tier {}: {} answers, {} right, {} groups; gains over {}\n"
      "  {:26} {:>6}  {:24}  {:24}  {:24}  {:24}\n",
      report.tier, report.records, report.right, report.groups, report.base, "signal", "n", "AUROC",
      "within groups", "gain", "gain within groups");
  for (const SignalWorth& worth : report.signals) text += line(worth);
  if (!report.combinations.empty()) text += "  together, cross-fitted:\n";
  for (const SignalWorth& worth : report.combinations) text += line(worth);
  text += "  − before a name: low values speak for a right answer\n";
  for (const std::string& note : report.notes) text += "note: " + note + "\n";
  return text;
}

}  // namespace tinyarms::calibration
