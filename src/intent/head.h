// What kind of question it is, from the question's embedding: a linear map to one score a class
// and a temperature that makes their softmax a calibrated probability. Trained by train.h, kept as
// JSON that names the encoder it was trained with.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tinyarms::intent {

struct Intent {
  std::string name;
  double probability = 0;  // calibrated on held-out examples
  double margin = 0;       // over the runner-up's probability, ≥ 0
  std::vector<std::pair<std::string, double>> probabilities{};  // of every class, in its order
};

struct Head {
  std::string encoder;               // sha256 of the encoder's file
  std::vector<std::string> classes;  // two at least
  size_t dimensions = 0;             // of the embeddings
  std::vector<float> weights;        // classes × dimensions
  std::vector<float> intercepts;     // one a class
  double temperature = 1;            // > 0
  size_t examples = 0;               // it was trained on

  // `vector` has `dimensions` values.
  Intent classify(std::span<const float> vector) const;
};

std::string head_json(const Head& head);
// Hostile until checked. Errors: Corrupt, Unsupported (a later version).
Result<Head> parse_head(std::string_view text, const std::string& where);

// The one that ships, where it was trained with that encoder.
std::optional<Head> bundled_head(std::string_view encoder);

}  // namespace tinyarms::intent
