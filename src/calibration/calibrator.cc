#include "calibration/calibrator.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace tinyarms::calibration {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

TrainingSet selected(const TrainingSet& set, const std::vector<size_t>& columns) {
  TrainingSet chosen;
  for (const size_t column : columns) {
    chosen.signals.push_back(set.signals[column]);
    chosen.columns.push_back(set.columns[column]);
  }
  chosen.right = set.right;
  return chosen;
}

bool needs_probabilities(Family family) {
  return family == Family::Temperature || family == Family::Beta;
}

CalibrationModel fit_map(Family family, const std::vector<Scored>& items, size_t bins) {
  switch (family) {
    case Family::Temperature: return fit_temperature(items);
    case Family::Platt: return fit_platt(items);
    case Family::Beta: return fit_beta(items);
    case Family::Histogram: return fit_histogram(items, bins);
    case Family::Isotonic: return fit_isotonic_map(items);
    case Family::Logistic:
    case Family::Stumps: break;
  }
  return PlattMap{};
}

}  // namespace

std::string_view family_name(Family family) {
  switch (family) {
    case Family::Temperature: return "temperature";
    case Family::Platt: return "platt";
    case Family::Beta: return "beta";
    case Family::Histogram: return "histogram";
    case Family::Isotonic: return "isotonic";
    case Family::Logistic: return "logistic";
    case Family::Stumps: return "stumps";
  }
  return "";
}

std::optional<Family> parse_family(std::string_view name) {
  for (const Family family : kFamilies) {
    if (family_name(family) == name) return family;
  }
  return std::nullopt;
}

bool takes_many_signals(Family family) {
  return family == Family::Logistic || family == Family::Stumps;
}

double Calibrator::operator()(std::span<const double> values) const {
  const auto one = [&](const auto& map) {
    return std::isnan(values[0]) ? when_missing : map(values[0]);
  };
  return std::visit(Overloaded{[&](const LogisticModel& many) { return many(values); },
                               [&](const StumpModel& many) { return many(values); }, one},
                    model);
}

double Calibrator::operator()(const Lookup& evidence) const {
  std::vector<double> values;
  for (const std::string& signal : signals) {
    const auto value = evidence(signal);
    const bool sound = value && std::isfinite(*value);
    values.push_back(sound ? *value : std::numeric_limits<double>::quiet_NaN());
  }
  return (*this)(std::span<const double>(values));
}

Result<Calibrator> fit_calibrator(const TrainingSet& set, const Rows& rows,
                                  const FitRequest& request) {
  const auto bad = [](std::string what) {
    return Error{ErrorCode::InvalidArgument, std::move(what), "", "give more or other records"};
  };
  if (rows.empty()) return bad("no records to fit to");
  Calibrator calibrator;
  calibrator.records = rows.size();
  if (takes_many_signals(request.family)) {
    const TrainingSet chosen = selected(set, request.columns);
    calibrator.signals = chosen.signals;
    if (request.family == Family::Logistic) {
      calibrator.model = fit_logistic_model(chosen, rows);
    } else {
      calibrator.model = fit_stumps(chosen, rows, request.stump_rounds);
    }
    return calibrator;
  }
  const size_t column = request.columns.front();
  calibrator.signals = {set.signals[column]};
  std::vector<Scored> items;
  double missing = 0;
  double missing_right = 0;
  for (const size_t row : rows) {
    const double score = set.columns[column][row];
    if (std::isnan(score)) {
      missing += 1;
      missing_right += set.right[row];
      continue;
    }
    if (needs_probabilities(request.family) && !(score >= 0 && score <= 1)) {
      return bad(fmt::format("{} needs a probability; `{}` has {}", family_name(request.family),
                             set.signals[column], score));
    }
    items.push_back({score, set.right[row]});
  }
  if (items.empty()) return bad(fmt::format("no record has `{}`", set.signals[column]));
  calibrator.model = fit_map(request.family, items, request.histogram_bins);
  // Never seen missing: as good as a coin, whatever the rest says.
  calibrator.when_missing = (missing_right + 1) / (missing + 2);
  return calibrator;
}

}  // namespace tinyarms::calibration
