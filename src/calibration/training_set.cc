#include "calibration/training_set.h"

#include <fmt/format.h>

#include "base/nearest.h"
#include "calibration/random.h"

namespace tinyarms::calibration {

Result<TrainingSet> training_set(const Dataset& data, const TierColumns& tier,
                                 const std::vector<std::string>& signals) {
  TrainingSet set;
  std::vector<std::string> known;
  for (const SignalColumn& signal : tier.signals) known.push_back(signal.name);
  set.signals = signals;
  // What a bench of a whole cascade wrote down as its confidence is no evidence of the answer: it
  // came of an earlier calibrator or a formula, and is not there when the next one is asked.
  for (const std::string& name : known) {
    if (signals.empty() && (name != "confidence" || known.size() == 1)) set.signals.push_back(name);
  }
  if (set.signals.empty()) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("tier `{}` has no numeric evidence", tier.name), "",
                 "records need `evidence` with at least one number"};
  }
  std::vector<const SignalColumn*> columns;
  for (const std::string& name : set.signals) {
    columns.push_back(tier.find(name));
    if (columns.back() != nullptr) continue;
    const auto close = nearest(name, known);
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("tier `{}` has no signal `{}`", tier.name, name), "",
                 fmt::format("{}known: {}", close ? "did you mean `" + *close + "`? " : "",
                             fmt::join(known, ", "))};
  }
  set.columns.resize(columns.size());
  for (size_t row = 0; row < data.rows(); ++row) {
    if (tier.labels[row] == Label::Absent) continue;
    for (size_t c = 0; c < columns.size(); ++c) {
      set.columns[c].push_back(columns[c]->values[row]);
    }
    set.right.push_back(tier.labels[row] == Label::Right ? 1 : 0);
    set.keys.push_back(data.keys[row]);
    set.group.emplace_back(data.group_of(row));
    set.row.push_back(row);
  }
  if (set.size() > 0) return set;
  return Error{ErrorCode::InvalidArgument, fmt::format("tier `{}` has no answers", tier.name), "",
               "choose another tier"};
}

size_t fold_of(uint64_t key, size_t folds, uint64_t seed) {
  return static_cast<size_t>(mix64(key ^ mix64(seed + 0x9E3779B97F4A7C15ULL)) % folds);
}

}  // namespace tinyarms::calibration
