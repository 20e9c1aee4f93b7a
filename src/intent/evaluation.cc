#include "intent/evaluation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tinyarms::intent {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kBins = 10;

double share(size_t part, size_t whole) {
  return whole == 0 ? kNothing : static_cast<double>(part) / static_cast<double>(whole);
}

struct Bin {
  size_t items = 0;
  size_t right = 0;
  double probability = 0;
};

size_t index_of(std::vector<std::string>& classes, const std::string& name) {
  auto found = std::find(classes.begin(), classes.end(), name);
  if (found == classes.end()) found = classes.insert(found, name);
  return static_cast<size_t>(found - classes.begin());
}

}  // namespace

double Evaluation::accuracy() const { return share(right, items); }

double Evaluation::recall(size_t of) const {
  size_t all = 0;
  for (const size_t count : counts[of]) all += count;
  return share(counts[of][of], all);
}

double Evaluation::precision(size_t of) const {
  size_t all = 0;
  for (const auto& row : counts) all += row[of];
  return share(counts[of][of], all);
}

double Evaluation::apart(std::string_view one, std::string_view other,
                         size_t& items_of_both) const {
  items_of_both = 0;
  const auto a = static_cast<size_t>(std::find(classes.begin(), classes.end(), one) -
                                     classes.begin());
  const auto b = static_cast<size_t>(std::find(classes.begin(), classes.end(), other) -
                                     classes.begin());
  if (a == classes.size() || b == classes.size()) return kNothing;
  for (size_t c = 0; c < classes.size(); ++c) items_of_both += counts[a][c] + counts[b][c];
  return share(items_of_both - counts[a][b] - counts[b][a], items_of_both);
}

Evaluation evaluate(const Head& head, std::span<const Example> examples,
                    std::span<const std::vector<float>> vectors) {
  Evaluation result;
  result.classes = head.classes;
  for (const Example& example : examples) index_of(result.classes, example.intent);
  result.counts.assign(result.classes.size(), std::vector<size_t>(result.classes.size(), 0));
  std::array<Bin, kBins> bins;
  for (size_t i = 0; i < examples.size(); ++i) {
    const Intent intent = head.classify(vectors[i]);
    const size_t truth = index_of(result.classes, examples[i].intent);
    const size_t taken = index_of(result.classes, intent.name);
    ++result.counts[truth][taken];
    ++result.items;
    const bool right = truth == taken;
    result.right += right ? 1 : 0;
    const double p = truth < head.classes.size() ? intent.probabilities[truth].second : 0;
    result.log_loss -= std::log(std::max(p, 1e-6));
    Bin& bin = bins[std::min(kBins - 1, static_cast<size_t>(intent.probability * kBins))];
    ++bin.items;
    bin.right += right ? 1 : 0;
    bin.probability += intent.probability;
  }
  if (result.items == 0) return result;
  const auto items = static_cast<double>(result.items);
  result.log_loss /= items;
  for (const Bin& bin : bins) {
    result.calibration_error += std::abs(static_cast<double>(bin.right) - bin.probability) / items;
  }
  return result;
}

}  // namespace tinyarms::intent
