#include "calibration/cross_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calibration/metrics.h"

namespace tinyarms::calibration {
namespace {

struct Trial {
  FamilyScore score;
  FitRequest request;
  std::vector<double> held_out;
};

double predict(const Calibrator& calibrator, const TrainingSet& set,
               const std::vector<size_t>& columns, size_t row, std::vector<double>& values) {
  values.clear();
  for (const size_t column : columns) values.push_back(set.columns[column][row]);
  return calibrator(std::span<const double>(values));
}

std::optional<Trial> attempt(const TrainingSet& set, const std::vector<Rows>& folds,
                             const FitRequest& request) {
  Trial trial;
  trial.request = request;
  trial.held_out.resize(set.size());
  std::vector<double> values;
  for (const Rows& fold : folds) {
    if (fold.empty()) continue;
    Rows rest;
    for (const Rows& other : folds) {
      if (&other != &fold) rest.insert(rest.end(), other.begin(), other.end());
    }
    auto calibrator = fit_calibrator(set, rest, request);
    if (!calibrator) return std::nullopt;
    for (const size_t row : fold) {
      trial.held_out[row] = predict(*calibrator, set, request.columns, row, values);
    }
  }
  trial.score.family = request.family;
  for (const size_t column : request.columns) trial.score.signals.push_back(set.signals[column]);
  for (size_t row = 0; row < set.size(); ++row) {
    const double p = trial.held_out[row];
    trial.score.nll -= set.right[row] > 0.5 ? std::log(p) : std::log1p(-p);
    trial.score.brier += (p - set.right[row]) * (p - set.right[row]);
  }
  trial.score.nll /= static_cast<double>(set.size());
  trial.score.brier /= static_cast<double>(set.size());
  return trial;
}

Result<void> check_classes(const TrainingSet& set) {
  const double right = std::accumulate(set.right.begin(), set.right.end(), 0.0);
  const double wrong = static_cast<double>(set.size()) - right;
  if (right >= 2 && wrong >= 2) return {};
  const bool one_class = right == 0 || wrong == 0;
  return Error{ErrorCode::InvalidArgument,
               one_class ? fmt::format("all {} answers are {}: there is nothing to tell apart",
                                       set.size(), right == 0 ? "wrong" : "right")
                         : fmt::format("{} right and {} wrong answers are too few", right, wrong),
               "", "give records with at least two right and two wrong answers"};
}

}  // namespace

size_t best_column(const TrainingSet& set) {
  size_t best = 0;
  double best_rank = -1;
  for (size_t column = 0; column < set.columns.size(); ++column) {
    std::vector<Scored> items;
    for (size_t row = 0; row < set.size(); ++row) {
      const double value = set.columns[column][row];
      if (!std::isnan(value)) items.push_back({value, set.right[row]});
    }
    if (items.empty()) continue;
    sort_by_score(items);
    const double auroc = measure(items, 1)[Metric::Auroc];
    // What is seldom there ranks little: its missing rows count as a coin.
    const double share = static_cast<double>(items.size()) / static_cast<double>(set.size());
    const double rank = std::isnan(auroc) ? 0 : std::abs(auroc - 0.5) * share;
    if (rank <= best_rank) continue;
    best_rank = rank;
    best = column;
  }
  return best;
}

Result<CrossFit> cross_fit(const TrainingSet& set, const CrossFitOptions& options) {
  if (auto enough = check_classes(set); !enough) return enough.error();
  std::vector<Rows> folds(std::max<size_t>(2, options.folds));
  for (size_t row = 0; row < set.size(); ++row) {
    folds[fold_of(set.keys[row], folds.size(), options.seed)].push_back(row);
  }
  std::vector<size_t> all(set.columns.size());
  std::iota(all.begin(), all.end(), size_t{0});
  const std::vector<size_t> one = {best_column(set)};
  std::vector<Trial> trials;
  for (const Family family : options.families) {
    FitRequest request{.family = family, .columns = takes_many_signals(family) ? all : one};
    if (auto trial = attempt(set, folds, request)) trials.push_back(std::move(*trial));
  }
  if (trials.empty()) {
    return Error{ErrorCode::InvalidArgument, "no calibrator fits these records", "",
                 "temperature and beta need scores in [0, 1]; allow another family"};
  }
  std::stable_sort(trials.begin(), trials.end(), [](const Trial& a, const Trial& b) {
    return a.score.nll < b.score.nll;
  });
  Rows rows(set.size());
  std::iota(rows.begin(), rows.end(), size_t{0});
  auto calibrator = fit_calibrator(set, rows, trials.front().request);
  if (!calibrator) return calibrator.error();
  CrossFit result{std::move(*calibrator), std::move(trials.front().held_out), {}};
  for (Trial& trial : trials) result.tried.push_back(std::move(trial.score));
  return result;
}

}  // namespace tinyarms::calibration
