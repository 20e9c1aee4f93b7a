#include "calibration/jitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace tinyarms::calibration {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kJitterFormat = "tinyarms-jitter";
constexpr int kJitterVersion = 1;
constexpr size_t kJitterBytesMax = size_t{1} << 20;
constexpr size_t kJitterSignalsMax = 512;

bool read_size(const Json& json, const char* name, double& value) {
  if (!json.contains(name) || !json[name].is_number()) return false;
  value = json[name].get<double>();
  return std::isfinite(value) && value >= 0;
}

bool read_jitter_count(const Json& json, const char* name, size_t& value) {
  if (!json.contains(name) || !json[name].is_number_unsigned()) return false;
  value = json[name].get<size_t>();
  return value <= (size_t{1} << 40);
}

bool read_jitter_text(const Json& json, const char* name, std::string& value) {
  if (!json.contains(name) || !json[name].is_string()) return false;
  value = json[name].get<std::string>();
  return true;
}

}  // namespace

double guard_band(const JitterFile& jitter, const EvidenceLookup& evidence,
                  const std::function<double(const EvidenceLookup&)>& estimate) {
  const double centre = estimate(evidence);
  double band = 0;
  // `only` empty: all signals together.
  const auto try_moved = [&](double direction, std::string_view only) {
    const double moved = estimate([&](std::string_view name) -> std::optional<double> {
      const std::optional<double> value = evidence(name);
      const auto known = jitter.signals.find(name);
      if (!value || known == jitter.signals.end() || (!only.empty() && only != name)) return value;
      return *value + direction * known->second.q95;
    });
    band = std::max(band, std::abs(moved - centre));
  };
  for (const double direction : {-1.0, 1.0}) {
    try_moved(direction, "");
    for (const auto& [name, each] : jitter.signals) {
      if (each.q95 > 0) try_moved(direction, name);
    }
  }
  return band;
}

std::string jitter_json(const JitterFile& jitter) {
  Json signals = Json::object();
  for (const auto& [name, each] : jitter.signals) {
    signals[name] = {{"mean", each.mean}, {"q95", each.q95}, {"max", each.most}};
  }
  const Json json = {{"format", kJitterFormat},
                     {"version", kJitterVersion},
                     {"model_sha", jitter.identity.model_sha},
                     {"quantization", jitter.identity.quantization},
                     {"engine", jitter.identity.engine},
                     {"sampler", jitter.identity.sampler},
                     {"prompts", jitter.prompts},
                     {"comparisons", jitter.comparisons},
                     {"tokens", jitter.tokens},
                     {"other_choices", jitter.other_choices},
                     {"signals", signals}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<JitterFile> parse_jitter(std::string_view text, const std::string& where) {
  const auto refuse = [&](ErrorCode code, std::string what) {
    return Error{code, std::move(what), where, "measure again: tinyarms calibrate --jitter"};
  };
  if (text.size() > kJitterBytesMax) return refuse(ErrorCode::Corrupt, "is larger than 1 MiB");
  const Json json = Json::parse(text, nullptr, false);
  std::string format;
  if (!json.is_object() || !read_jitter_text(json, "format", format) || format != kJitterFormat) {
    return refuse(ErrorCode::Corrupt, "is no measurement of jitter");
  }
  size_t version = 0;
  if (!read_jitter_count(json, "version", version) || version != kJitterVersion) {
    return refuse(ErrorCode::Unsupported, fmt::format("is not of version {}", kJitterVersion));
  }
  JitterFile jitter;
  const bool there = read_jitter_text(json, "model_sha", jitter.identity.model_sha) &&
                     read_jitter_text(json, "quantization", jitter.identity.quantization) &&
                     read_jitter_text(json, "engine", jitter.identity.engine) &&
                     read_jitter_text(json, "sampler", jitter.identity.sampler) &&
                     read_jitter_count(json, "prompts", jitter.prompts) &&
                     read_jitter_count(json, "comparisons", jitter.comparisons) &&
                     read_jitter_count(json, "tokens", jitter.tokens) &&
                     read_jitter_count(json, "other_choices", jitter.other_choices);
  if (!there || !json.contains("signals") || !json["signals"].is_object() ||
      json["signals"].size() > kJitterSignalsMax) {
    return refuse(ErrorCode::Corrupt, "a field is missing or of the wrong kind");
  }
  for (const auto& [name, each] : json["signals"].items()) {
    SignalJitter signal;
    if (!each.is_object() || !read_size(each, "mean", signal.mean) ||
        !read_size(each, "q95", signal.q95) || !read_size(each, "max", signal.most) ||
        signal.q95 > signal.most) {
      return refuse(ErrorCode::Corrupt, fmt::format("signal `{:.60}` is not sound", name));
    }
    jitter.signals[name] = signal;
  }
  return jitter;
}

}  // namespace tinyarms::calibration
