// What a calibrator is fitted to: signals as columns (NaN: not measured) beside the labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "calibration/dataset.h"

namespace tinyarms::calibration {

struct TrainingSet {
  std::vector<std::string> signals{};
  std::vector<std::vector<double>> columns{};  // one a signal, `right.size()` long
  std::vector<double> right{};                 // 1 or 0
  std::vector<uint64_t> keys{};                // of the records; they decide the folds
  std::vector<std::string> group{};            // may be empty: one group
  std::vector<size_t> row{};                   // in the dataset

  size_t size() const { return right.size(); }
};

using Rows = std::vector<size_t>;  // indices into a TrainingSet

// The tier's answered rows with the named signals; where none is named, all of the tier's but
// `confidence`.
// Errors: InvalidArgument for an unknown signal, a tier without answers or without signals.
Result<TrainingSet> training_set(const Dataset& data, const TierColumns& tier,
                                 const std::vector<std::string>& signals);

// 0 … folds−1 for a record: by its key alone, so that no order of the records changes it.
size_t fold_of(uint64_t key, size_t folds, uint64_t seed);

}  // namespace tinyarms::calibration
