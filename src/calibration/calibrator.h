// Evidence → P(right): one fitted map of any family, over named signals that may be missing.
// Const after fitting; safe to use from many threads.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "calibration/additive_models.h"
#include "calibration/score_maps.h"
#include "calibration/training_set.h"

namespace tinyarms::calibration {

// In order of complexity: of two equally good ones the earlier is chosen.
enum class Family { Temperature, Platt, Beta, Histogram, Isotonic, Logistic, Stumps };
inline constexpr std::array<Family, 7> kFamilies = {
    Family::Temperature, Family::Platt,    Family::Beta,  Family::Histogram,
    Family::Isotonic,    Family::Logistic, Family::Stumps};

std::string_view family_name(Family family);  // "temperature", …
std::optional<Family> parse_family(std::string_view name);
bool takes_many_signals(Family family);

using CalibrationModel = std::variant<TemperatureMap, PlattMap, BetaMap, HistogramMap, IsotonicMap,
                                      LogisticModel, StumpModel>;  // in the order of Family

struct Calibrator {
  std::vector<std::string> signals{};  // what it reads, in the order it wants it
  CalibrationModel model{};
  double when_missing = 0.5;  // one-signal families: P(right) where the signal is not there
  size_t records = 0;         // fitted to

  Family family() const { return static_cast<Family>(model.index()); }

  // `values` as `signals`, NaN where missing. In (0, 1).
  double operator()(std::span<const double> values) const;

  // Looks each signal up by name; nothing where it is missing.
  using Lookup = std::function<std::optional<double>(std::string_view signal)>;
  double operator()(const Lookup& evidence) const;
};

// Columns of `set` to read: one for the one-signal families.
struct FitRequest {
  Family family = Family::Platt;
  std::vector<size_t> columns{};
  size_t histogram_bins = 10;
  size_t stump_rounds = 100;
};

// Errors: InvalidArgument where rows are empty, or a family that needs probabilities (temperature,
// beta) meets a score outside [0, 1].
Result<Calibrator> fit_calibrator(const TrainingSet& set, const Rows& rows,
                                  const FitRequest& request);

}  // namespace tinyarms::calibration
