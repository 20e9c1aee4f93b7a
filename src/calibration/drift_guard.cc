#include "calibration/drift_guard.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calibration/random.h"

namespace tinyarms::calibration {
namespace {

constexpr size_t kBets = 12;
// Wealth is capped far above any alarm and far below overflow.
constexpr double kWealthMax = 1e200;

double quantile(std::vector<double>& values, double level) {
  const auto at = static_cast<size_t>(level * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

}  // namespace

// Bets from just above α to far above it: odds of being wrong that rise geometrically, from 1.25
// times those of α to 20 times.
DriftGuard::DriftGuard(DriftTarget target) : target_(target), wealth_(kBets, 0.0) {
  const double odds = target.alpha / (1 - target.alpha);
  for (size_t bet = 0; bet < kBets; ++bet) {
    const double share = static_cast<double>(bet) / (kBets - 1);
    const double raised = odds * 1.25 * std::pow(16.0, share);
    rates_.push_back(raised / (1 + raised));
  }
}

void DriftGuard::observe(bool wrong) {
  ++seen_;
  wrong_ += wrong ? 1 : 0;
  const auto place = static_cast<double>(seen_);
  const double stake = 1 / (place * (place + 1)) / static_cast<double>(kBets);
  for (size_t bet = 0; bet < kBets; ++bet) {
    const double factor = wrong ? rates_[bet] / target_.alpha
                                : (1 - rates_[bet]) / (1 - target_.alpha);
    wealth_[bet] = std::min((wealth_[bet] + stake) * factor, kWealthMax);
  }
  if (!alarm_ && e_value() >= 1 / target_.delta) alarm_ = seen_;
}

double DriftGuard::e_value() const {
  double sum = 1 / (static_cast<double>(seen_) + 1);  // Σ of the stakes not yet placed
  for (const double wealth : wealth_) sum += wealth;
  return sum;
}

DriftReport simulate_drift(const DriftSimulation& simulation) {
  DriftReport report{.runs = simulation.runs};
  Random random(simulation.seed);
  std::vector<double> delays;
  for (size_t run = 0; run < simulation.runs; ++run) {
    DriftGuard guard(simulation.target);
    for (size_t i = 0; i < simulation.length && !guard.alarmed(); ++i) {
      const bool before = i < simulation.change_at;
      guard.observe(random.uniform() < (before ? simulation.rate_before : simulation.rate_after));
    }
    const auto alarm = guard.alarm();
    if (alarm && *alarm <= simulation.change_at) {
      ++report.false_alarms;
      continue;
    }
    report.found += alarm ? 1 : 0;
    delays.push_back(alarm ? static_cast<double>(*alarm - simulation.change_at)
                           : std::numeric_limits<double>::infinity());
  }
  if (!delays.empty()) {
    report.delay_median = quantile(delays, 0.5);
    report.delay_q95 = quantile(delays, 0.95);
  }
  return report;
}

}  // namespace tinyarms::calibration
