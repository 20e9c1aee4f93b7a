#include "advice/own_figures.h"

#include <algorithm>
#include <vector>

namespace tinyarms::advice {
namespace {

template <typename Figure>
const Figure* look_up(const std::map<NamedFile, Figure>& figures, const std::string& model,
                      const std::string& quantisation) {
  const auto found = figures.find({model, quantisation});
  return found == figures.end() ? nullptr : &found->second;
}

}  // namespace

const OwnSpeed* OwnFigures::speed(const std::string& model,
                                  const std::string& quantisation) const {
  return look_up(speeds, model, quantisation);
}

const OwnOutcomes* OwnFigures::outcome(const std::string& model,
                                       const std::string& quantisation) const {
  return look_up(outcomes, model, quantisation);
}

double shrunk_accuracy(std::optional<double> prior, const OwnOutcomes& outcomes) {
  const double weight = prior ? kPriorItems : 2;
  const double share = prior.value_or(0.5);
  return (weight * share + static_cast<double>(outcomes.right)) /
         (weight + static_cast<double>(outcomes.items));
}

double active_bytes(const CatalogueModel& model, const ModelFile& file) {
  const double share = model.parameters > 0 ? static_cast<double>(model.active_parameters) /
                                                  static_cast<double>(model.parameters)
                                            : 1;
  return static_cast<double>(file.bytes) * share;
}

std::optional<double> measured_bytes_rate(const Catalogue& catalogue, const OwnFigures& own) {
  std::vector<double> rates;
  for (const auto& [named, speed] : own.speeds) {
    const auto model = catalogue.find(named.first);
    if (!model) continue;
    const ModelFile* file = (*model)->file(named.second);
    if (file != nullptr) rates.push_back(active_bytes(**model, *file) * speed.answer_tokens_rate);
  }
  if (rates.empty()) return std::nullopt;
  std::sort(rates.begin(), rates.end());
  const size_t half = rates.size() / 2;
  return rates.size() % 2 == 1 ? rates[half] : (rates[half - 1] + rates[half]) / 2;
}

}  // namespace tinyarms::advice
