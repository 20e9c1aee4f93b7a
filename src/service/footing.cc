#include "service/footing.h"

#include <algorithm>
#include <array>

#include "base/file_stamp.h"
#include "base/sha256.h"
#include "service/cache_pairs.h"
#include "service/model_places.h"
#include "service/user_files.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFolderFilesMax = 1000;

// In the request (service::make_request), or of the terminal alone, or about this very choice.
bool travels_apart(std::string_view key) {
  constexpr std::array<std::string_view, 4> kApart = {"stream", "color", "use_server",
                                                      "confidence_threshold"};
  return std::find(kApart.begin(), kApart.end(), key) != kApart.end() ||
         key.starts_with("thresholds.") || key.ends_with(".thresholds") ||
         key.starts_with("sampling.") || key.starts_with("pull.") || key.starts_with("cost.") ||
         key.starts_with("telemetry.");
}

// A file's stamp; of a folder, those of its files too.
std::string stamps_of(const fs::path& path) {
  std::string stamps = file_stamp(path);
  std::error_code problem;
  if (!fs::is_directory(path, problem)) return stamps;
  std::vector<fs::path> files;
  for (fs::directory_iterator at(path, problem), end; !problem && at != end;
       at.increment(problem)) {
    if (files.size() < kFolderFilesMax) files.push_back(at->path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    stamps += "\n" + file.filename().string() + " " + file_stamp(file);
  }
  return stamps;
}

// By its name in the store, with the sidecar that vouches for it; of a name that is only the
// beginning of one, the whole store counts.
std::string model_stamp(const std::string& name, const fs::path& store) {
  if (name.empty()) return "";
  std::error_code problem;
  const fs::path file = store / (name + ".gguf");
  if (fs::exists(file, problem)) {
    return file_stamp(file) + " " + file_stamp(store / (name + ".json"));
  }
  const fs::path path = name;
  return path.has_parent_path() ? file_stamp(path) : file_stamp(store);
}

}  // namespace

Footing footing_of(const LoadedConfig& config, const Paths& paths, const Environment& environment,
                   const std::string& program) {
  const Settings& settings = config.settings;
  // Of the running file, which an update in place may have unlinked.
  Footing footing = {{"the program", program + " " + file_stamp("/proc/self/exe")}};
  for (const ConfigEntry& entry : config.entries) {
    const std::string key(entry.setting->key);
    if (!travels_apart(key)) footing[key] = entry.value;
  }
  footing["the folders"] = paths.config_file.string() + "\n" + paths.cache_dir.string() + "\n" +
                           paths.data_dir.string();
  const auto add_files = [&](const std::string& key, const std::vector<std::string>& files) {
    for (const std::string& file : files) footing["the files of " + key] += stamps_of(file) + "\n";
  };
  add_files("l0.packs", settings.l0.packs);
  add_files("calibration.files", settings.calibration.files);
  if (!settings.policy.file.empty()) add_files("policy.file", {settings.policy.file});
  footing["the intents"] = file_stamp(intent_head_path(paths));
  footing["the cache's calibration"] = stamps_of(kept_thresholds_folder(paths));
  footing["the model of l1"] = model_stamp(settings.l1.model, paths.models_dir);
  footing["the models of l2"] = "";
  footing["the models of l3"] = "";
  for (const NamedModel& one : named_models(settings)) {
    footing["the models of " + std::string(level_name(one.level))] +=
        one.place + " " + model_stamp(one.model, paths.models_dir) + "\n";
  }
  if (!settings.offline && !settings.l4.api_key_env.empty()) {
    const auto key = environment(settings.l4.api_key_env);
    footing["the key in " + settings.l4.api_key_env] = key ? sha256_hex(*key) : "";
  }
  if (!settings.offline && !settings.l4.api_key_file.empty()) {
    footing["the key in l4.api_key_file"] = file_stamp(settings.l4.api_key_file);
  }
  return footing;
}

std::vector<std::string> differences(const Footing& left, const Footing& right) {
  std::vector<std::string> names;
  for (const auto& [name, text] : left) {
    const auto other = right.find(name);
    if (other == right.end() || other->second != text) names.push_back(name);
  }
  for (const auto& [name, text] : right) {
    if (!left.contains(name)) names.push_back(name);
  }
  return names;
}

}  // namespace tinyarms::service
