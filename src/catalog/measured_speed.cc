#include "catalog/measured_speed.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/file.h"
#include "base/sha256.h"

namespace tinyarms::catalog {
namespace {

using SpeedJson = nlohmann::ordered_json;

constexpr int kMeasuredFormat = 1;
constexpr size_t kMeasuredBytesMax = 256 * 1024;
constexpr size_t kMeasuredMax = 32;  // of one model, on other machines and with other threads
constexpr double kRateMax = 1e9;

bool is_sound(const MeasuredSpeed& speed) {
  const auto sound = [](double value) {
    return std::isfinite(value) && value >= 0 && value <= kRateMax;
  };
  const std::initializer_list<double> figures = {
      speed.load_seconds, speed.prompt_tokens_rate, speed.answer_tokens_rate,
      speed.texts_rate,   speed.text_tokens_rate,   speed.watts.value_or(1)};
  return is_sha256(speed.on.model_sha256) && speed.on.threads > 0 && std::isfinite(speed.at) &&
         std::all_of(figures.begin(), figures.end(), sound) &&
         (speed.texts_rate > 0) != (speed.answer_tokens_rate > 0) &&
         (speed.prompt_tokens_rate > 0) == (speed.answer_tokens_rate > 0);
}

SpeedJson to_json(const MeasuredSpeed& speed) {
  return {{"engine", speed.on.engine},
          {"processor", speed.on.processor},
          {"threads", speed.on.threads},
          {"model", speed.model},
          {"at", speed.at},
          {"load_seconds", speed.load_seconds},
          {"memory_bytes", speed.memory_bytes},
          {"prompt_tokens_rate", speed.prompt_tokens_rate},
          {"answer_tokens_rate", speed.answer_tokens_rate},
          {"prompt_tokens", speed.prompt_tokens},
          {"answer_tokens", speed.answer_tokens},
          {"texts_rate", speed.texts_rate},
          {"text_tokens_rate", speed.text_tokens_rate},
          {"watts", speed.watts ? SpeedJson(*speed.watts) : SpeedJson(nullptr)}};
}

MeasuredSpeed from_json(const SpeedJson& json, const std::string& sha256) {
  MeasuredSpeed speed;
  speed.on = {.model_sha256 = sha256,
              .engine = json.at("engine").get<std::string>(),
              .processor = json.at("processor").get<std::string>(),
              .threads = json.at("threads").get<int>()};
  speed.model = json.at("model").get<std::string>();
  speed.at = json.at("at").get<double>();
  speed.load_seconds = json.at("load_seconds").get<double>();
  speed.memory_bytes = json.at("memory_bytes").get<uint64_t>();
  speed.prompt_tokens_rate = json.at("prompt_tokens_rate").get<double>();
  speed.answer_tokens_rate = json.at("answer_tokens_rate").get<double>();
  speed.prompt_tokens = json.at("prompt_tokens").get<int>();
  speed.answer_tokens = json.at("answer_tokens").get<int>();
  speed.texts_rate = json.at("texts_rate").get<double>();
  speed.text_tokens_rate = json.at("text_tokens_rate").get<double>();
  if (!json.at("watts").is_null()) speed.watts = json.at("watts").get<double>();
  return speed;
}

// What can be read of it; what cannot is as good as not measured.
std::vector<MeasuredSpeed> read_all(const std::filesystem::path& file,
                                    const std::string& sha256) {
  std::vector<MeasuredSpeed> all;
  const auto bytes = read_file(file, kMeasuredBytesMax);
  if (!bytes) return all;
  const SpeedJson json = SpeedJson::parse(*bytes, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("format", SpeedJson()) != SpeedJson(kMeasuredFormat)) {
    return all;
  }
  const SpeedJson list = json.value("measured", SpeedJson::array());
  for (const SpeedJson& entry : list) {
    try {
      MeasuredSpeed speed = from_json(entry, sha256);
      if (is_sound(speed)) all.push_back(std::move(speed));
    } catch (const SpeedJson::exception&) {
      continue;
    }
  }
  return all;
}

}  // namespace

std::filesystem::path MeasuredStore::file_of(const std::string& sha256) const {
  return folder_ / (sha256 + ".json");
}

std::optional<MeasuredSpeed> MeasuredStore::find(const MeasuredOn& on) const {
  if (!is_sha256(on.model_sha256)) return std::nullopt;
  for (MeasuredSpeed& speed : read_all(file_of(on.model_sha256), on.model_sha256)) {
    if (speed.on == on) return std::move(speed);
  }
  return std::nullopt;
}

Result<void> MeasuredStore::keep(const MeasuredSpeed& speed) const {
  if (!is_sound(speed)) {
    return Error{ErrorCode::InvalidArgument, "is no measurement of a model", speed.model, ""};
  }
  const std::filesystem::path file = file_of(speed.on.model_sha256);
  std::vector<MeasuredSpeed> all = read_all(file, speed.on.model_sha256);
  std::erase_if(all, [&](const MeasuredSpeed& other) { return other.on == speed.on; });
  all.push_back(speed);
  const auto older = [](const MeasuredSpeed& a, const MeasuredSpeed& b) { return a.at < b.at; };
  std::stable_sort(all.begin(), all.end() - 1, older);
  if (all.size() > kMeasuredMax) all.erase(all.begin(), all.end() - kMeasuredMax);
  SpeedJson list = SpeedJson::array();
  for (const MeasuredSpeed& each : all) list.push_back(to_json(each));
  const SpeedJson json = {{"format", kMeasuredFormat}, {"measured", std::move(list)}};
  // A model's name may be that of any file.
  const std::string text = json.dump(1, ' ', false, SpeedJson::error_handler_t::replace);
  return write_file_atomically(file, text + "\n");
}

}  // namespace tinyarms::catalog
