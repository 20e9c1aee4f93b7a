#include "intent/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "calibration/softmax_regression.h"

namespace tinyarms::intent {
namespace {

constexpr size_t kFolds = 5;
constexpr size_t kClassExamplesMin = 5;
// Chosen by the held-out log-likelihood of the bundled examples.
constexpr double kRidge = 0.3;
constexpr double kPrototypeScale = 8;

struct Data {
  std::vector<std::string> classes;
  std::vector<size_t> labels;
  std::vector<float> rows;
  size_t dimensions = 0;

  std::span<const float> row(size_t index) const {
    return std::span(rows).subspan(index * dimensions, dimensions);
  }
};

Result<Data> arrange(std::span<const Example> examples,
                     std::span<const std::vector<float>> vectors) {
  Data data;
  if (examples.size() != vectors.size()) {
    return Error{ErrorCode::InvalidArgument, "not as many vectors as examples", "intent", ""};
  }
  std::vector<size_t> counts;
  for (size_t i = 0; i < examples.size(); ++i) {
    auto known = std::find(data.classes.begin(), data.classes.end(), examples[i].intent);
    if (known == data.classes.end()) {
      known = data.classes.insert(known, examples[i].intent);
      counts.push_back(0);
    }
    const auto label = static_cast<size_t>(known - data.classes.begin());
    ++counts[label];
    data.labels.push_back(label);
    if (i == 0) data.dimensions = vectors[0].size();
    if (vectors[i].size() != data.dimensions || data.dimensions == 0) {
      return Error{ErrorCode::InvalidArgument, "the vectors differ in size", "intent", ""};
    }
    data.rows.insert(data.rows.end(), vectors[i].begin(), vectors[i].end());
  }
  if (data.classes.size() < 2) {
    return Error{ErrorCode::InvalidArgument, "there is only one class", "intent",
                 "give examples of two classes at least"};
  }
  for (size_t c = 0; c < data.classes.size(); ++c) {
    if (counts[c] >= kClassExamplesMin) continue;
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("`{}` has {} examples, a class needs {}", data.classes[c], counts[c],
                             kClassExamplesMin),
                 "intent", "write some more"};
  }
  return data;
}

// The k-th example of its class belongs to fold k mod 5: every fold has every class.
std::vector<size_t> folds_of(const Data& data) {
  std::vector<size_t> seen(data.classes.size(), 0);
  std::vector<size_t> folds;
  for (const size_t label : data.labels) folds.push_back(seen[label]++ % kFolds);
  return folds;
}

calibration::SoftmaxFit fit(const Data& data, const std::function<bool(size_t)>& is_used) {
  const size_t classes = data.classes.size();
  std::vector<float> rows;
  std::vector<size_t> labels;
  std::vector<double> guess(classes * data.dimensions, 0);
  std::vector<double> counts(classes, 0);
  for (size_t i = 0; i < data.labels.size(); ++i) {
    if (!is_used(i)) continue;
    const auto row = data.row(i);
    rows.insert(rows.end(), row.begin(), row.end());
    labels.push_back(data.labels[i]);
    counts[data.labels[i]] += 1;
    for (size_t d = 0; d < row.size(); ++d) {
      guess[data.labels[i] * data.dimensions + d] += double{row[d]};
    }
  }
  for (size_t i = 0; i < guess.size(); ++i) {
    const double count = counts[i / data.dimensions];
    guess[i] *= count > 0 ? kPrototypeScale / count : 0;
  }
  return calibration::fit_softmax({.classes = classes,
                                   .features = data.dimensions,
                                   .rows = rows,
                                   .labels = labels,
                                   .guess = guess,
                                   .ridge = kRidge});
}

Head head_of(const Data& data, const calibration::SoftmaxFit& fitted) {
  Head head;
  head.classes = data.classes;
  head.dimensions = data.dimensions;
  head.weights.assign(fitted.weights.begin(), fitted.weights.end());
  head.intercepts.assign(fitted.intercepts.begin(), fitted.intercepts.end());
  head.examples = data.labels.size();
  return head;
}

// −log of the right class's probability, over all examples by heads that did not see them.
double log_loss(const Data& data, std::vector<Head>& heads, const std::vector<size_t>& folds,
                double temperature) {
  double loss = 0;
  for (Head& head : heads) head.temperature = temperature;
  for (size_t i = 0; i < data.labels.size(); ++i) {
    const Intent intent = heads[folds[i]].classify(data.row(i));
    loss -= std::log(std::max(intent.probabilities[data.labels[i]].second, 1e-300));
  }
  return loss / static_cast<double>(data.labels.size());
}

double best_temperature(const std::function<double(double)>& loss) {
  double low = std::log(0.05);
  double high = std::log(20.0);
  const double golden = (std::sqrt(5.0) - 1) / 2;
  for (int step = 0; step < 40; ++step) {
    const double left = high - golden * (high - low);
    const double right = low + golden * (high - low);
    (loss(std::exp(left)) < loss(std::exp(right)) ? high : low) =
        loss(std::exp(left)) < loss(std::exp(right)) ? right : left;
  }
  return std::exp((low + high) / 2);
}

}  // namespace

Result<Training> train(std::span<const Example> examples,
                       std::span<const std::vector<float>> vectors, std::string encoder) {
  auto data = arrange(examples, vectors);
  if (!data) return data.error();
  const std::vector<size_t> folds = folds_of(*data);
  std::vector<Head> heads;
  for (size_t fold = 0; fold < kFolds; ++fold) {
    heads.push_back(head_of(*data, fit(*data, [&](size_t i) { return folds[i] != fold; })));
  }
  Training training;
  training.head = head_of(*data, fit(*data, [](size_t) { return true; }));
  training.head.encoder = std::move(encoder);
  training.head.temperature =
      best_temperature([&](double t) { return log_loss(*data, heads, folds, t); });
  training.held_out_log_loss = log_loss(*data, heads, folds, training.head.temperature);
  size_t right = 0;
  for (size_t i = 0; i < data->labels.size(); ++i) {
    right += heads[folds[i]].classify(data->row(i)).name == data->classes[data->labels[i]] ? 1 : 0;
  }
  training.held_out_accuracy =
      static_cast<double>(right) / static_cast<double>(data->labels.size());
  return training;
}

}  // namespace tinyarms::intent
