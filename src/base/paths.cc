#include "base/paths.h"

#include <cstdlib>

namespace tinyarms {
namespace {

namespace fs = std::filesystem;

fs::path base_folder(const Environment& environment, const char* variable, const char* in_home) {
  if (auto value = environment(variable); value && fs::path(*value).is_absolute()) return *value;
  if (auto home = environment("HOME"); home && fs::path(*home).is_absolute()) {
    return fs::path(*home) / in_home;
  }
  return fs::temp_directory_path();
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

Paths find_paths(const Environment& environment) {
  Paths paths;
  paths.config_file =
      base_folder(environment, "XDG_CONFIG_HOME", ".config") / "tinyarms" / "config.toml";
  paths.cache_dir = base_folder(environment, "XDG_CACHE_HOME", ".cache") / "tinyarms";
  paths.data_dir = base_folder(environment, "XDG_DATA_HOME", ".local/share") / "tinyarms";
  paths.models_dir = paths.data_dir / "models";
  return paths;
}

}  // namespace tinyarms
