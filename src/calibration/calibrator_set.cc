#include <fmt/format.h>

#include <cmath>

#include "calibration/calibrator_file.h"

namespace tinyarms::calibration {
namespace {

TrainingSet subset(const TrainingSet& set, const Rows& rows) {
  TrainingSet part;
  part.signals = set.signals;
  part.columns.resize(set.columns.size());
  for (const size_t row : rows) {
    for (size_t c = 0; c < set.columns.size(); ++c) {
      part.columns[c].push_back(set.columns[c][row]);
    }
    part.right.push_back(set.right[row]);
    part.keys.push_back(set.keys[row]);
  }
  return part;
}

double mean_nll(const TrainingSet& set, const Rows& rows, const std::vector<double>& held_out) {
  double sum = 0;
  for (const size_t row : rows) {
    sum -= set.right[row] > 0.5 ? std::log(held_out[row]) : std::log1p(-held_out[row]);
  }
  return sum / static_cast<double>(rows.size());
}

}  // namespace

Result<void> check_identity(const ServingIdentity& fitted, const ServingIdentity& serving) {
  std::string differences;
  const auto compare = [&](const char* name, const std::string& a, const std::string& b) {
    if (a == b) return;
    if (!differences.empty()) differences += "; ";
    differences += fmt::format("{} is `{}`, fitted under `{}`", name, b, a);
  };
  compare("the model", fitted.model_sha, serving.model_sha);
  compare("the quantisation", fitted.quantization, serving.quantization);
  compare("the engine", fitted.engine, serving.engine);
  compare("the sampler", fitted.sampler, serving.sampler);
  if (differences.empty()) return {};
  return Error{ErrorCode::Unsupported,
               fmt::format("the calibrator belongs to another set-up: {}", differences), "",
               "calibrate again with records of this set-up, or allow the mismatch on purpose"};
}

const Calibrator& CalibratorSet::for_group(std::string_view group) const {
  const auto found = groups.find(group);
  return found == groups.end() ? pooled.calibrator : found->second.calibrator;
}

Result<CalibratorSetFit> fit_calibrator_set(const TrainingSet& set,
                                            const GroupFitOptions& options) {
  auto pooled = cross_fit(set, options.cross);
  if (!pooled) return pooled.error();
  CalibratorSetFit fit;
  fit.set.pooled = {std::move(pooled->calibrator), pooled->tried.front().nll,
                    pooled->tried.front().brier};
  fit.held_out = std::move(pooled->held_out);
  fit.tried = std::move(pooled->tried);
  std::map<std::string, Rows> groups;
  for (size_t row = 0; row < set.group.size(); ++row) groups[set.group[row]].push_back(row);
  if (groups.size() < 2) return fit;
  for (const auto& [name, rows] : groups) {
    if (rows.size() < options.group_records_min) continue;
    auto own = cross_fit(subset(set, rows), options.cross);
    if (!own) continue;  // one class: the pooled calibrator serves
    if (own->tried.front().nll >= mean_nll(set, rows, fit.held_out)) continue;
    for (size_t i = 0; i < rows.size(); ++i) fit.held_out[rows[i]] = own->held_out[i];
    fit.set.groups[name] = {std::move(own->calibrator), own->tried.front().nll,
                            own->tried.front().brier};
  }
  return fit;
}

}  // namespace tinyarms::calibration
