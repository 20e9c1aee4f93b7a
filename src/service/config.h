// Configuration, from weakest to strongest: built-in defaults, the user's config.toml, the
// project's .tinyarms.toml, TINYARMS_* variables, flags. Every value remembers where it came from.
//
// A project file is untrusted input (docs/decisions/0030): it may not set what
// ProjectRule::Forbidden marks; such a key is an error that says where it belongs.
//
// A global confidence_threshold replaces the per-level thresholds of weaker sources: what is typed
// on the command line must not lose to a line in a file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/paths.h"
#include "base/result.h"
#include "service/settings.h"

namespace tinyarms::service {

// One flag, as the command line hands it over. A list setting given several times grows.
struct Override {
  std::string key;    // "l2.model"
  std::string value;  // as typed; lists: one entry, or a TOML array
  std::string flag;   // "--model": named in errors and origins
};

// Everything the loader looks at, so that tests never see the user's own files.
struct ConfigSources {
  Environment environment;                     // an empty variable counts as unset
  std::vector<std::string> environment_names;  // what is set, to notice misspelt TINYARMS_*
  std::filesystem::path user_file;             // may not exist; empty: none
  bool user_file_must_exist = false;           // it was named by the user
  std::filesystem::path working_dir;           // absolute; empty: no project file is searched
  std::filesystem::path home;                  // where the search upward ends; may be empty
  std::vector<Override> overrides;
};

// From this process: getenv, environ, the XDG folders and the working folder.
ConfigSources process_config_sources();

struct ConfigEntry {
  const SettingInfo* setting;
  std::string value;   // as TOML; empty where unset
  std::string origin;  // "default", "/home/a/.config/tinyarms/config.toml:12", "TINYARMS_OFFLINE",
                       // "--threads"
};

struct LoadedConfig {
  Settings settings;
  std::vector<ConfigEntry> entries;          // one for each of known_settings(), in its order
  std::vector<std::filesystem::path> files;  // read, weakest first
  std::vector<std::string> notices;          // for the user, e.g. a variable that looks misspelt

  std::string_view origin(std::string_view key) const;  // "default" for an unknown key too
};

// Errors: Config (syntax, unknown key with the nearest known one, wrong type or range, a key that
// a project may not set, something that is not a text file; `where` is file:line:column, a
// variable or a flag), Io (unreadable), NotFound (user_file_must_exist).
Result<LoadedConfig> load_config(const ConfigSources& sources);

// What must hold between settings, e.g. that a remote URL comes with a model, and that the policy
// file can be used. Errors: Config, NotFound, Io.
Result<void> check(const Settings& settings);

// The nearest .tinyarms.toml from `working_dir` up to the repository's root (the folder with
// .git) or `home`, both included, whichever comes first. Outside of both only `working_dir` itself
// is looked at: a shared parent such as the temporary folder belongs to everybody.
std::optional<std::filesystem::path> find_project_file(const std::filesystem::path& working_dir,
                                                       const std::filesystem::path& home);

}  // namespace tinyarms::service
