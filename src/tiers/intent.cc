#include "tiers/intent.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <numeric>

namespace tinyarms::tiers {
namespace {

constexpr size_t kNearest = 3;

double score(const std::vector<std::vector<float>>& examples, std::span<const float> vector) {
  std::vector<double> cosines;
  for (const std::vector<float>& example : examples) {
    cosines.push_back(std::inner_product(example.begin(), example.end(), vector.begin(), 0.0));
  }
  const size_t kept = std::min(kNearest, cosines.size());
  std::partial_sort(cosines.begin(), cosines.begin() + static_cast<std::ptrdiff_t>(kept),
                    cosines.end(), std::greater<>());
  return std::accumulate(cosines.begin(), cosines.begin() + static_cast<std::ptrdiff_t>(kept),
                         0.0) /
         static_cast<double>(kept);
}

}  // namespace

Result<std::vector<IntentExample>> read_intent_examples(const EmbeddedFile& file) {
  try {
    std::vector<IntentExample> examples;
    for (const auto& entry : YAML::Load(std::string(file.bytes))) {
      for (const auto& text : entry.second) {
        examples.push_back({entry.first.as<std::string>(), text.as<std::string>()});
      }
    }
    if (!examples.empty()) return examples;
    return Error{ErrorCode::Corrupt, "has no examples", std::string(file.name),
                 "write `intent: [example, …]`"};
  } catch (const YAML::Exception& problem) {
    return Error{ErrorCode::Corrupt, problem.msg,
                 fmt::format("{}:{}:{}", file.name, problem.mark.line + 1, problem.mark.column + 1),
                 "write `intent: [example, …]`"};
  }
}

Result<IntentClassifier> IntentClassifier::create(std::vector<IntentExample> examples,
                                                  const EmbedAll& embed) {
  std::vector<std::string> texts;
  for (const IntentExample& example : examples) texts.push_back(example.text);
  auto vectors = embed(texts);
  if (!vectors) return vectors.error().wrap("embedding the intent examples");

  IntentClassifier classifier;
  for (size_t i = 0; i < examples.size(); ++i) {
    auto known = std::find_if(classifier.classes_.begin(), classifier.classes_.end(),
                              [&](const Class& c) { return c.name == examples[i].intent; });
    if (known == classifier.classes_.end()) {
      known = classifier.classes_.insert(known, {examples[i].intent, {}});
    }
    known->examples.push_back(std::move((*vectors)[i]));
  }
  return classifier;
}

Intent IntentClassifier::classify(std::span<const float> vector) const {
  std::vector<std::pair<double, const Class*>> ranking;
  for (const Class& c : classes_) ranking.emplace_back(score(c.examples, vector), &c);
  std::sort(ranking.begin(), ranking.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  const double runner_up = ranking.size() > 1 ? ranking[1].first : 0;
  return {ranking[0].second->name, std::max(0.0, ranking[0].first - runner_up)};
}

}  // namespace tinyarms::tiers
