// What kind of question it is, from its embedding: code, general, maths or tools. Nearest bundled
// examples (data/intents.yaml): the score of a class is the mean cosine of its three nearest.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/embedded_file.h"
#include "base/result.h"

namespace tinyarms::tiers {

struct IntentExample {
  std::string intent;
  std::string text;
};

// Errors: Corrupt where the data is not `intent: [text, …]`, with file and line.
Result<std::vector<IntentExample>> read_intent_examples(const EmbeddedFile& file);
std::vector<EmbeddedFile> intent_example_files();  // generated from data/

struct Intent {
  std::string name;
  double margin = 0;  // score over the runner-up's, ≥ 0
};

class IntentClassifier {
 public:
  using Vectors = std::vector<std::vector<float>>;
  using EmbedAll = std::function<Result<Vectors>(std::span<const std::string>)>;

  // `embed` gives one unit vector a text, all of one size; it is called once.
  static Result<IntentClassifier> create(std::vector<IntentExample> examples,
                                         const EmbedAll& embed);

  // `vector` is a unit vector of the same size.
  Intent classify(std::span<const float> vector) const;

 private:
  struct Class {
    std::string name;
    Vectors examples;
  };
  std::vector<Class> classes_;
};

}  // namespace tinyarms::tiers
