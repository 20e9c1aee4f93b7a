#include "intent/head.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <nlohmann/json.hpp>

#include "calibration/softmax_regression.h"
#include "intent/example.h"

namespace tinyarms::intent {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr size_t kClassesMax = 1000;
constexpr size_t kDimensionsMax = 16384;

// Five digits are more than embeddings in bf16 have.
double rounded(float value) { return std::stod(fmt::format("{:.5g}", value)); }

Error damaged(std::string what, const std::string& where) {
  return {ErrorCode::Corrupt, std::move(what), where, "train it again: tinyarms intent train"};
}

bool is_sound(const Head& head) {
  const auto finite = [](float value) { return std::isfinite(value); };
  return head.classes.size() >= 2 && head.classes.size() <= kClassesMax && head.dimensions > 0 &&
         head.dimensions <= kDimensionsMax &&
         head.weights.size() == head.classes.size() * head.dimensions &&
         head.intercepts.size() == head.classes.size() &&
         std::all_of(head.weights.begin(), head.weights.end(), finite) &&
         std::all_of(head.intercepts.begin(), head.intercepts.end(), finite) &&
         std::isfinite(head.temperature) && head.temperature > 0;
}

}  // namespace

Intent Head::classify(std::span<const float> vector) const {
  assert(vector.size() == dimensions);
  std::vector<double> scores(classes.size());
  for (size_t c = 0; c < classes.size(); ++c) {
    const float* w = weights.data() + c * dimensions;
    double sum = double{intercepts[c]};
    for (size_t i = 0; i < dimensions; ++i) sum += double{w[i]} * double{vector[i]};
    scores[c] = sum / temperature;
  }
  calibration::softmax(scores);
  Intent intent;
  size_t best = 0;
  for (size_t c = 0; c < classes.size(); ++c) {
    intent.probabilities.emplace_back(classes[c], scores[c]);
    if (scores[c] > scores[best]) best = c;
  }
  double second = 0;
  for (size_t c = 0; c < classes.size(); ++c) {
    if (c != best) second = std::max(second, scores[c]);
  }
  intent.name = classes[best];
  intent.probability = scores[best];
  intent.margin = scores[best] - second;
  return intent;
}

std::string head_json(const Head& head) {
  Json json = {{"kind", "tinyarms intent head"},
               {"version", kVersion},
               {"encoder", head.encoder},
               {"dimensions", head.dimensions},
               {"examples", head.examples},
               {"temperature", head.temperature},
               {"classes", Json::array()}};
  for (size_t c = 0; c < head.classes.size(); ++c) {
    Json weights = Json::array();
    for (size_t i = 0; i < head.dimensions; ++i) {
      weights.push_back(rounded(head.weights[c * head.dimensions + i]));
    }
    json["classes"].push_back({{"name", head.classes[c]},
                               {"intercept", rounded(head.intercepts[c])},
                               {"weights", std::move(weights)}});
  }
  return json.dump() + "\n";
}

Result<Head> parse_head(std::string_view text, const std::string& where) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return damaged("is not a JSON object", where);
  try {
    if (json.at("kind") != "tinyarms intent head") return damaged("is no intent head", where);
    if (json.at("version").get<int>() != kVersion) {
      return Error{ErrorCode::Unsupported, "was written by another version of tinyArms", where,
                   "train it again: tinyarms intent train"};
    }
    Head head{.encoder = json.at("encoder").get<std::string>(),
              .classes = {},
              .dimensions = json.at("dimensions").get<size_t>(),
              .weights = {},
              .intercepts = {},
              .temperature = json.at("temperature").get<double>(),
              .examples = json.at("examples").get<size_t>()};
    for (const Json& one : json.at("classes")) {
      head.classes.push_back(one.at("name").get<std::string>());
      head.intercepts.push_back(one.at("intercept").get<float>());
      const auto weights = one.at("weights").get<std::vector<float>>();
      if (weights.size() != head.dimensions) return damaged("has weights of another size", where);
      head.weights.insert(head.weights.end(), weights.begin(), weights.end());
    }
    if (!is_sound(head)) return damaged("is not an intent head", where);
    return head;
  } catch (const nlohmann::json::exception&) {
    return damaged("lacks a part of an intent head", where);
  }
}

std::optional<Head> bundled_head(std::string_view encoder) {
  for (const EmbeddedFile& file : bundled_files()) {
    if (file.name != "head.json") continue;
    auto head = parse_head(file.bytes, std::string(file.name));
    if (head && head->encoder == encoder) return std::move(*head);
  }
  return std::nullopt;
}

}  // namespace tinyarms::intent
