#include "service/cache_pairs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/utf8.h"
#include "calibration/special_functions.h"
#include "gate/gate.h"
#include "service/settings.h"

namespace tinyarms::service {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kDelta = 0.05;
constexpr double kStep = 1.25;

Error bad(std::string what, const std::string& place) {
  return {ErrorCode::InvalidArgument, std::move(what), place,
          R"(a line is {"id", "a", "b", "duplicate", "source"} or has these as columns)"};
}

std::optional<bool> truth(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer() && (value == 0 || value == 1)) return value == 1;
  if (value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  return std::nullopt;
}

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return {};
  return found->is_string() ? found->get<std::string>()
                            : (found->is_number() ? found->dump() : std::string());
}

Json columns(std::string_view line) {
  static constexpr const char* kNames[] = {"id", "a", "b", "duplicate", "source"};
  Json object = Json::object();
  for (const char* name : kNames) {
    const size_t end = std::min(line.find('\t'), line.size());
    object[name] = std::string(line.substr(0, end));
    if (end == line.size()) break;
    line.remove_prefix(end + 1);
  }
  return object;
}

Result<QuestionPair> pair_of(const Json& object, const std::string& place) {
  QuestionPair pair;
  pair.id = text_of(object, "id");
  pair.a = text_of(object, "a");
  pair.b = text_of(object, "b");
  pair.source = text_of(object, "source");
  if (pair.a.empty() || pair.b.empty()) return bad("has no text `a` or `b`", place);
  const auto label = object.find("duplicate");
  const auto duplicate = label == object.end() ? std::nullopt : truth(*label);
  if (!duplicate) return bad("`duplicate` is not true, false, 1 or 0", place);
  pair.duplicate = *duplicate;
  return pair;
}

double upper(size_t false_hits, size_t hits) {
  return calibration::clopper_pearson_upper({false_hits, hits}, kDelta);
}

std::filesystem::path file_of(const Paths& paths, const std::string& encoder) {
  return kept_thresholds_folder(paths) / fmt::format("threshold-{}.json", encoder.substr(0, 16));
}

}  // namespace

Result<std::vector<QuestionPair>> parse_pairs(std::string_view bytes, const std::string& where) {
  std::vector<QuestionPair> pairs;
  size_t number = 0;
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    const std::string place = fmt::format("{}:{}", where, ++number);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == line.npos) continue;
    if (find_invalid_utf8(line)) return bad("is not UTF-8", place);
    if (number == 1 && line.starts_with("id\t")) continue;
    const bool tsv = line.front() != '{' && line.find('\t') != line.npos;
    const Json object = tsv ? columns(line) : Json::parse(line, nullptr, false);
    if (!object.is_object()) return bad("is neither a JSON object nor columns", place);
    auto pair = pair_of(object, place);
    if (!pair) return pair.error();
    pairs.push_back(std::move(*pair));
  }
  if (pairs.empty()) return bad("has no pairs", where);
  return pairs;
}

PairCounts count_pairs(const std::vector<QuestionPair>& pairs, double threshold) {
  PairCounts counts;
  for (const QuestionPair& pair : pairs) {
    ++counts.pairs;
    if (!pair.gate_open || pair.similarity < threshold) continue;
    ++counts.hits;
    counts.false_hits += pair.duplicate ? 0 : 1;
  }
  if (counts.pairs > 0) {
    counts.hit_rate = static_cast<double>(counts.hits) / static_cast<double>(counts.pairs);
  }
  counts.false_hit_upper = upper(counts.false_hits, counts.hits);
  return counts;
}

std::optional<double> calibrate_threshold(const std::vector<QuestionPair>& pairs,
                                          double share_max) {
  std::vector<double> scores;
  for (const QuestionPair& pair : pairs) {
    if (pair.gate_open && pair.similarity >= kThresholdMin) scores.push_back(pair.similarity);
  }
  std::sort(scores.begin(), scores.end(), std::greater<>());
  size_t hits = 1;
  while (hits <= scores.size() && upper(0, hits) > share_max) ++hits;
  std::optional<double> found;
  while (hits <= scores.size()) {
    const double threshold = scores[hits - 1];
    if (count_pairs(pairs, threshold).false_hit_upper > share_max) break;
    found = threshold;
    if (hits == scores.size()) break;
    const double more = std::ceil(kStep * static_cast<double>(hits));
    hits = std::min(scores.size(), static_cast<size_t>(more));
  }
  return found;
}

std::filesystem::path kept_thresholds_folder(const Paths& paths) {
  return paths.data_dir / "cache";
}

std::optional<double> kept_threshold(const Paths& paths, const std::string& encoder) {
  auto text = read_file(file_of(paths, encoder), 1 << 16);
  if (!text) return std::nullopt;
  const Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object() || json.value("encoder", Json()) != encoder ||
      json.value("gate", Json()) != gate::gate_identity()) {
    return std::nullopt;
  }
  const Json threshold = json.value("threshold", Json());
  if (!threshold.is_number()) return std::nullopt;
  const double value = threshold.get<double>();
  return value >= kThresholdMin && value <= 1.01 ? std::optional(value) : std::nullopt;
}

std::optional<double> threshold_in_force(const Paths& paths, const std::string& encoder,
                                         double configured) {
  if (configured != Settings{}.l1.similarity) return configured;
  if (const auto kept = kept_threshold(paths, encoder)) return kept;
  std::error_code none;
  for (const auto& entry :
       std::filesystem::directory_iterator(kept_thresholds_folder(paths), none)) {
    auto text = read_file(entry.path(), 1 << 16);
    const Json json = text ? Json::parse(*text, nullptr, false) : Json();
    if (json.is_object() && json.contains("threshold") && json.contains("encoder") &&
        json["encoder"] != encoder) {
      return std::nullopt;
    }
  }
  return configured;
}

Result<std::filesystem::path> keep_threshold(const Paths& paths, const std::string& encoder,
                                             double threshold, double share_max) {
  const Json json = {{"encoder", encoder},
                     {"gate", gate::gate_identity()},
                     {"threshold", threshold},
                     {"max_false_hits", share_max}};
  const std::filesystem::path path = file_of(paths, encoder);
  auto written = write_file_atomically(path, json.dump(2) + "\n");
  if (!written) return written.error();
  return path;
}

}  // namespace tinyarms::service
