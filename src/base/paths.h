// Where tinyArms keeps things, by the XDG base directory specification, read from an environment
// that is passed in, so that tests never see the user's own folders.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace tinyarms {

// Looks one variable up; empty where it is unset. `process_environment()` asks getenv.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

struct Paths {
  std::filesystem::path config_file;  // $XDG_CONFIG_HOME/tinyarms/config.toml
  std::filesystem::path cache_dir;    // $XDG_CACHE_HOME/tinyarms
  std::filesystem::path data_dir;     // $XDG_DATA_HOME/tinyarms
  std::filesystem::path models_dir;   // data_dir/models
};

// A relative XDG value is ignored, as the specification asks; without HOME, the temporary folder
// serves, so that nothing is ever written to the root of the disk.
Paths find_paths(const Environment& environment);

}  // namespace tinyarms
