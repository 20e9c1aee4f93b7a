// How strongly the best passage found speaks for itself as an answer: whether it defines what the
// question names, whether words and vectors agree on it, and how near it is. Not a calibrated
// probability; docs/index.md has how often it was right.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "corpus/library.h"

namespace tinyarms::corpus {

struct Strength {
  double value = 0;  // [0, 1]
  std::string reason;
};

// `found`: best first, all of one search for `question`.
Strength strength_of(std::string_view question, std::span<const Found> found);

// What the question writes as code does: parse_config, readFile, Box::put, `name`, main().
std::vector<std::string> identifiers_in(std::string_view question);

}  // namespace tinyarms::corpus
