// Pairs of questions that are or are not duplicates, what a cache would have made of them, and the
// threshold that keeps its false hits within a budget (docs/cache.md).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/paths.h"
#include "base/result.h"

namespace tinyarms::service {

struct QuestionPair {
  std::string id;
  std::string a;
  std::string b;
  std::string source;
  bool duplicate = false;
  double similarity = 0;   // cosine; filled in by the caller
  bool gate_open = false;  // whether the gate takes them for the same; filled in by the caller
};

// JSON lines {id, a, b, duplicate, source}, or TSV with those five columns (a first line that names
// them is passed over). Errors: InvalidArgument with file and line.
Result<std::vector<QuestionPair>> parse_pairs(std::string_view bytes, const std::string& where);

struct PairCounts {
  size_t pairs = 0;
  size_t hits = 0;
  size_t false_hits = 0;     // hits that are no duplicates
  double hit_rate = 0;       // hits ÷ pairs
  double false_hit_upper = 1;  // of false hits ÷ hits: Clopper–Pearson, one-sided 95 %
};

// A hit: the gate is open and the cosine reaches the threshold.
PairCounts count_pairs(const std::vector<QuestionPair>& pairs, double threshold);

// The laxest threshold of at least kThresholdMin whose false hits, as a share of hits, are at most
// `share_max` with 95 % confidence. Tested from the fewest hits that could show it, a quarter more
// each time, until it fails (fixed-sequence testing: no correction is needed). Nothing where the
// pairs cannot support any.
inline constexpr double kThresholdMin = 0.7;
std::optional<double> calibrate_threshold(const std::vector<QuestionPair>& pairs,
                                          double share_max);

std::filesystem::path kept_thresholds_folder(const Paths& paths);
// The threshold kept for an encoder and the gate of this build; nothing where there is none.
std::optional<double> kept_threshold(const Paths& paths, const std::string& encoder);
// `configured` where the user chose it, else the kept one, else `configured`, the default. Nothing
// where one is kept for another encoder only: what was calibrated with that one's cosines says
// nothing about this one's, and who calibrates wants no guess.
std::optional<double> threshold_in_force(const Paths& paths, const std::string& encoder,
                                         double configured);
Result<std::filesystem::path> keep_threshold(const Paths& paths, const std::string& encoder,
                                             double threshold, double share_max);

}  // namespace tinyarms::service
