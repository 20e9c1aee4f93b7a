// Trains a head on embedded examples. Each class starts as its prototype (the mean of its
// examples), and softmax regression whose ridge pulls towards these prototypes corrects it: a
// class with few examples stays a nearest-prototype class, one with many is told apart by what
// differs. The temperature is fitted to the log-likelihood of held-out examples (five folds), so
// that the probabilities are those of questions that were not trained on.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "intent/example.h"
#include "intent/head.h"

namespace tinyarms::intent {

struct Training {
  Head head;
  double held_out_accuracy = 0;  // of the folds
  double held_out_log_loss = 0;  // at the fitted temperature, nats
};

// One unit vector an example, all of one size. Classes keep the order in which they first come.
// Deterministic. Errors: InvalidArgument (fewer than two classes, a class of fewer than five
// examples, vectors of different sizes).
Result<Training> train(std::span<const Example> examples,
                       std::span<const std::vector<float>> vectors, std::string encoder);

}  // namespace tinyarms::intent
