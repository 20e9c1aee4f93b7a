#include "eval/trial_calibrator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calibration/training_set.h"
#include "cascade/evidence.h"
#include "eval/own_failures.h"

namespace tinyarms::eval {
namespace {

using calibration::TrainingSet;

// Rows with statistics of written tokens, but for questions that were chosen for failing; and the
// signals that any of them has.
TrainingSet written_answers(const TrainingSet& all) {
  TrainingSet written;
  const auto mark = std::find(all.signals.begin(), all.signals.end(),
                              cascade::signal::kProbabilityMean);
  if (mark == all.signals.end()) return written;
  const auto& marks = all.columns[static_cast<size_t>(mark - all.signals.begin())];
  calibration::Rows rows;
  for (size_t row = 0; row < all.size(); ++row) {
    if (!std::isnan(marks[row]) && all.group[row] != kOwnFailures) rows.push_back(row);
  }
  for (const size_t row : rows) {
    written.right.push_back(all.right[row]);
    written.keys.push_back(all.keys[row]);
    written.group.push_back(all.group[row]);
    written.row.push_back(all.row[row]);
  }
  for (size_t c = 0; c < all.columns.size(); ++c) {
    std::vector<double> column;
    for (const size_t row : rows) column.push_back(all.columns[c][row]);
    const bool known = std::any_of(column.begin(), column.end(),
                                   [](double value) { return !std::isnan(value); });
    if (!known) continue;
    written.signals.push_back(all.signals[c]);
    written.columns.push_back(std::move(column));
  }
  return written;
}

// Of saying the share of right answers every time, held out as the calibrator's is: by leaving the
// answer itself out.
double brier_of_share(const TrainingSet& set, double right) {
  const double others = static_cast<double>(set.size()) - 1;
  double sum = 0;
  for (const double outcome : set.right) {
    const double share = (right - outcome) / others;
    sum += (share - outcome) * (share - outcome);
  }
  return sum / static_cast<double>(set.size());
}

std::string what_is_missing(uint64_t written, uint64_t right) {
  if (written < kCalibratorAnswersMin) {
    return fmt::format("{} written answers, {} are needed: ask more (--limit, --tasks)", written,
                       kCalibratorAnswersMin);
  }
  if (right >= kCalibratorClassMin && written - right >= kCalibratorClassMin) return {};
  return fmt::format("{} right and {} wrong answers, {} of each are needed: ask more or others "
                     "(--limit, --tasks)",
                     right, written - right, kCalibratorClassMin);
}

struct WrittenAnswers {
  TrainingSet set;
  calibration::ServingIdentity served_by;
};

Result<WrittenAnswers> read_answers(const TrialCalibratorRequest& request) {
  calibration::DatasetOptions options;
  options.read.tier_names[request.subject] = request.level;
  auto data = calibration::load_dataset({request.records.string()}, options);
  if (!data) return data.error();
  const calibration::TierColumns* tier = data->find_tier(request.level);
  if (tier == nullptr) return WrittenAnswers{};
  auto all = calibration::training_set(*data, *tier, {});
  if (!all) return all.error();
  return WrittenAnswers{
      written_answers(*all),
      {tier->model_sha, tier->quantization, request.engine, request.sampler}};
}

}  // namespace

TrialCalibrator fit_trial_calibrator(const TrialCalibratorRequest& request) {
  TrialCalibrator result;
  TrialCalibration& account = result.account;
  const auto fail = [&](const std::string& problem) {
    account.problem = problem;
    return result;
  };
  auto answers = read_answers(request);
  if (!answers) return fail(answers.error().message());
  const TrainingSet& set = answers->set;
  const double right = std::accumulate(set.right.begin(), set.right.end(), 0.0);
  account.written = set.size();
  account.right = static_cast<uint64_t>(right);
  account.problem = what_is_missing(account.written, account.right);
  if (!account.problem.empty()) return result;
  account.brier_of_share = brier_of_share(set, right);
  auto fit = calibration::fit_calibrator_set(set, {});
  if (!fit) return fail(fit.error().message());
  account.brier = fit->set.pooled.held_out_brier;
  fit->set.tier = request.level;
  fit->set.identity = answers->served_by;
  // One that says less than the share alone would mislead thresholds.
  if (account.brier >= account.brier_of_share) {
    return fail(fmt::format("held out, none tells right from wrong better than the share that is "
                            "right (Brier {:.3f}, {:.3f} for the share)",
                            account.brier, account.brier_of_share));
  }
  result.set = std::move(fit->set);
  return result;
}

}  // namespace tinyarms::eval
