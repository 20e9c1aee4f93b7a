// What this user measured of models of the catalogue, and how it outranks what was published.
//
// Accuracy: the published score, or the size prior, counts as kPriorItems questions, of which its
// share was right (the mean of a beta prior); own outcomes are added to it. After as many of one's
// own, the two weigh the same; after many, the published figure has no say left.
// Speed: as measured; of models that were not, the bytes a second that the measured ones read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "advice/catalogue.h"

namespace tinyarms::advice {

inline constexpr double kPriorItems = 50;

struct OwnSpeed {
  double prompt_tokens_rate = 0;  // a second, > 0
  double answer_tokens_rate = 0;
  double load_seconds = 0;
};

struct OwnOutcomes {
  uint64_t right = 0;
  uint64_t items = 0;
};

using NamedFile = std::pair<std::string, std::string>;  // a model's name, its quantisation

struct OwnFigures {
  std::map<NamedFile, OwnSpeed> speeds{};
  std::map<NamedFile, OwnOutcomes> outcomes{};

  const OwnSpeed* speed(const std::string& model, const std::string& quantisation) const;
  const OwnOutcomes* outcome(const std::string& model, const std::string& quantisation) const;
};

// In [0, 1]. Without a prior: as if one of two had been right. `outcomes.items` may be 0 where
// there is a prior.
double shrunk_accuracy(std::optional<double> prior, const OwnOutcomes& outcomes);

// Bytes that a token of an answer reads.
double active_bytes(const CatalogueModel& model, const ModelFile& file);

// The median over the measured files; nothing where none was measured.
std::optional<double> measured_bytes_rate(const Catalogue& catalogue, const OwnFigures& own);

}  // namespace tinyarms::advice
