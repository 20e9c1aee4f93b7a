#include "service/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/nearest.h"
#include "service/config_file.h"
#include "service/policy_file.h"
#include "signals/panel.h"
#include "service/settings_value.h"

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "TINYARMS_";
constexpr const char* kProjectFile = ".tinyarms.toml";
// Words of the build, the tests and the launcher, not of the configuration.
constexpr std::string_view kOtherVariables[] = {"TINYARMS_TEST", "TINYARMS_SHARED",
                                                "TINYARMS_SOURCE", "TINYARMS_DEPS",
                                                "TINYARMS_HOME"};

struct Given {
  const SettingInfo* info = nullptr;
  std::string entry;   // of a setting that is a table
  RawValue value;
  std::string where;   // for errors
  std::string origin;  // for `config show`
};

// One source of settings: weaker ones are applied first.
struct Layer {
  std::vector<Given> given;
  AssignContext context;
};

std::vector<std::string> known_keys() {
  std::vector<std::string> keys;
  for (const SettingInfo& info : known_settings()) keys.emplace_back(info.key);
  return keys;
}

Error unknown_key(const std::string& key, const std::string& where) {
  const std::vector<std::string> keys = known_keys();
  std::string hint;
  if (auto near = nearest(key, keys)) {
    hint = fmt::format("did you mean {}?", *near);
  } else {
    // The right name in the wrong group.
    const std::string tail = key.substr(key.rfind('.') + 1);
    for (const std::string& known : keys) {
      if (known.ends_with("." + tail)) hint += (hint.empty() ? "" : " or ") + known;
    }
    hint = hint.empty() ? "tinyarms config show lists what there is"
                        : fmt::format("did you mean {}?", hint);
  }
  return Error{ErrorCode::Config, fmt::format("unknown key {}", printable(key)), where, hint};
}

Result<Layer> file_layer(const fs::path& path, const ConfigSources& sources, bool from_project) {
  auto read = read_config_file(path);
  if (!read) return read.error();
  Layer layer;
  layer.context = {path.parent_path(), sources.home, from_project};
  const std::string file = printable(path.string(), 4096);
  for (FileSetting& setting : *read) {
    Given given;
    given.where = fmt::format("{}:{}:{}", file, setting.line, setting.column);
    given.origin = fmt::format("{}:{}", file, setting.line);
    SettingPlace place = place_of_setting(setting.key);
    if (place.info == nullptr) return unknown_key(setting.key, given.where);
    given.info = place.info;
    given.entry = std::move(place.entry);
    given.value = std::move(setting.value);
    layer.given.push_back(std::move(given));
  }
  return layer;
}

bool is_table(const SettingInfo& info) {
  return info.kind == SettingKind::ModelTable || info.kind == SettingKind::ShareTable;
}

// TINYARMS_L2_SPECIALISTS_LANGUAGE_DE: an entry each, a dash written as an underscore.
void add_table_variables(const SettingInfo& info, const ConfigSources& sources, Layer& layer) {
  const std::string stem = environment_name(info) + "_";
  for (const std::string& name : sources.environment_names) {
    const auto text = sources.environment(name);
    if (!name.starts_with(stem) || !text || text->empty()) continue;
    std::string entry = lowered(std::string_view(name).substr(stem.size()));
    std::replace(entry.begin(), entry.end(), '_', '-');
    if (entry.starts_with("language-")) entry[8] = '.';
    layer.given.push_back({&info, std::move(entry), read_text(info, *text), name, name});
  }
}

Layer environment_layer(const ConfigSources& sources) {
  Layer layer;
  layer.context = {sources.working_dir, sources.home, false};
  if (!sources.environment) return layer;
  for (const SettingInfo& info : known_settings()) {
    if (is_table(info)) add_table_variables(info, sources, layer);
    const std::string name = environment_name(info);
    const auto text = sources.environment(name);
    if (!text || text->empty()) continue;
    layer.given.push_back({&info, "", read_text(info, *text), name, name});
  }
  return layer;
}

Result<Layer> flag_layer(const ConfigSources& sources) {
  Layer layer;
  layer.context = {sources.working_dir, sources.home, false};
  for (const Override& flag : sources.overrides) {
    const auto [info, entry] = place_of_setting(flag.key);
    if (info == nullptr) return unknown_key(flag.key, flag.flag);
    Given given{info, entry, read_text(*info, flag.value), flag.flag, flag.flag};
    auto earlier = std::find_if(
        layer.given.begin(), layer.given.end(), [&given](const Given& other) {
          return other.info == given.info && other.entry == given.entry;
        });
    if (earlier == layer.given.end()) {
      layer.given.push_back(std::move(given));
      continue;
    }
    auto* list = std::get_if<std::vector<std::string>>(&earlier->value);
    auto* more = std::get_if<std::vector<std::string>>(&given.value);
    if (list != nullptr && more != nullptr) {
      list->insert(list->end(), more->begin(), more->end());
    } else {
      *earlier = std::move(given);  // the last one counts
    }
  }
  return layer;
}

size_t index_of(const SettingInfo* info) {
  return static_cast<size_t>(info - known_settings().data());
}

bool gives(const Layer& layer, std::string_view key) {
  return std::any_of(layer.given.begin(), layer.given.end(),
                     [&](const Given& given) { return given.info->key == key; });
}

// A global threshold of this layer ends the per-level ones of weaker layers, and a level's those of
// its specialists.
void drop_weaker_thresholds(const Layer& layer, LoadedConfig& config) {
  const bool global = gives(layer, "confidence_threshold");
  if (global) config.settings.level_thresholds.fill(std::nullopt);
  const bool l2 = global || gives(layer, "thresholds.l2");
  const bool l3 = global || gives(layer, "thresholds.l3");
  if (l2) config.settings.l2.thresholds.clear();
  if (l3) config.settings.l3.thresholds.clear();
  for (ConfigEntry& entry : config.entries) {
    const std::string_view key = entry.setting->key;
    if ((global && key.starts_with("thresholds.")) || (l2 && key == "l2.thresholds") ||
        (l3 && key == "l3.thresholds")) {
      entry.origin = "default";
    }
  }
}

Result<void> apply(const Layer& layer, LoadedConfig& config) {
  drop_weaker_thresholds(layer, config);
  for (const Given& given : layer.given) {
    auto assigned =
        assign(config.settings, *given.info, given.value, layer.context, given.entry);
    if (!assigned) {
      Error error = assigned.error();
      error.where = given.where;
      return error;
    }
    config.entries[index_of(given.info)].origin = given.origin;
  }
  return {};
}

Result<void> apply_file(const fs::path& path, bool from_project, const ConfigSources& sources,
                        LoadedConfig& config) {
  auto layer = file_layer(path, sources, from_project);
  if (!layer) return layer.error();
  config.files.push_back(path);
  return apply(*layer, config);
}

bool is_entry_of_table(const std::string& variable) {
  const auto known = known_settings();
  return std::any_of(known.begin(), known.end(), [&](const SettingInfo& info) {
    return is_table(info) && variable.starts_with(environment_name(info) + "_");
  });
}

void notice_misspelt(const ConfigSources& sources, LoadedConfig& config) {
  std::vector<std::string> names;
  for (const SettingInfo& info : known_settings()) names.push_back(environment_name(info));
  for (const std::string& name : sources.environment_names) {
    if (!name.starts_with(kPrefix) || name == config.settings.l4.api_key_env) continue;
    const bool other =
        std::any_of(std::begin(kOtherVariables), std::end(kOtherVariables),
                    [&](std::string_view word) { return name.starts_with(word); }) ||
        is_entry_of_table(name);
    if (other || std::find(names.begin(), names.end(), name) != names.end()) continue;
    // The common prefix would make everything near: only what follows it is compared.
    std::vector<std::string> tails;
    for (const std::string& known : names) tails.push_back(known.substr(kPrefix.size()));
    if (auto near = nearest(std::string_view(name).substr(kPrefix.size()), tails)) {
      config.notices.push_back(fmt::format("{} is no setting and was ignored; did you mean {}{}?",
                                           printable(name), kPrefix, *near));
    }
  }
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  // A broken link counts: it was meant to be there, and reading it says what is wrong.
  return fs::exists(fs::symlink_status(path, ignored));
}

// What is written about specialists of one level must be about one that there is.
Result<void> check_specialists(std::string_view level, const LanguageSettings& tier) {
  if (!tier.general_model.empty() && tier.specialists.contains("general")) {
    return Error{ErrorCode::Config,
                 fmt::format("{0}.general_model and {0}.specialists.general name the same place",
                             level),
                 fmt::format("{}.specialists.general", level), "set one of both"};
  }
  for (const auto& [kind, threshold] : tier.thresholds) {
    const bool general = kind == "general" && !tier.general_model.empty();
    if (general || tier.specialists.contains(kind)) continue;
    return Error{ErrorCode::Config,
                 fmt::format("{0}.thresholds.{1} is set, but there is no {0}.specialists.{1}",
                             level, kind),
                 fmt::format("{}.thresholds.{}", level, kind),
                 fmt::format("name the specialist, or set thresholds.{} for the tier", level)};
  }
  return {};
}

}  // namespace

ConfigSources process_config_sources() {
  ConfigSources sources;
  sources.environment = process_environment();
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (text.starts_with(kPrefix)) sources.environment_names.emplace_back(
        text.substr(0, text.find('=')));
  }
  sources.user_file = find_paths(sources.environment).config_file;
  std::error_code problem;
  const fs::path here = fs::current_path(problem);
  if (!problem) sources.working_dir = here;
  sources.home = sources.environment("HOME").value_or("");
  return sources;
}

std::string_view LoadedConfig::origin(std::string_view key) const {
  for (const ConfigEntry& entry : entries) {
    if (entry.setting->key == key) return entry.origin;
  }
  return "default";
}

Result<LoadedConfig> load_config(const ConfigSources& sources) {
  LoadedConfig config;
  for (const SettingInfo& info : known_settings()) config.entries.push_back({&info, "", "default"});

  const bool user_file = !sources.user_file.empty() &&
                         (sources.user_file_must_exist || is_there(sources.user_file));
  if (user_file) {
    if (auto done = apply_file(sources.user_file, false, sources, config); !done) {
      return done.error();
    }
  }
  if (auto project = find_project_file(sources.working_dir, sources.home)) {
    if (auto done = apply_file(*project, true, sources, config); !done) return done.error();
  }
  if (auto done = apply(environment_layer(sources), config); !done) return done.error();
  auto flags = flag_layer(sources);
  if (!flags) return flags.error();
  if (auto done = apply(*flags, config); !done) return done.error();
  if (auto fits = check(config.settings); !fits) return fits.error();

  for (ConfigEntry& entry : config.entries) {
    entry.value = value_as_toml(config.settings, *entry.setting);
  }
  notice_misspelt(sources, config);
  return config;
}

Result<void> check(const Settings& settings) {
  if (auto sound = check_specialists("l2", settings.l2); !sound) return sound;
  if (auto sound = check_specialists("l3", settings.l3); !sound) return sound;
  if (!settings.policy.file.empty()) {
    // Decisions by other terms than the user wrote down would be worse than none.
    if (auto terms = read_policy_file(settings.policy.file); !terms) return terms.error();
  }
  if (settings.shadow.share > 0 && !settings.log.decisions) {
    return Error{ErrorCode::Config, "shadow.share is set, but decisions are not logged",
                 "shadow.share", "set log.decisions = true: the log is where answers wait"};
  }
  if (auto panel = signals::Panel::of(settings.signals.enabled); !panel) {
    return Error{ErrorCode::Config, panel.error().what, "signals.enabled", panel.error().hint};
  }
  if (!settings.l4.urls.empty() && settings.l4.model.empty()) {
    return Error{ErrorCode::Config, "l4.url is set, but l4.model is not", "l4.model",
                 "name the model that the remote tier shall ask for"};
  }
  if (!settings.l4.api_key_env.empty() && !settings.l4.api_key_file.empty()) {
    return Error{ErrorCode::Config, "l4.api_key_env and l4.api_key_file are both set",
                 "l4.api_key_file", "name one place of the key"};
  }
  if (settings.l4.price_input.has_value() != settings.l4.price_output.has_value()) {
    const bool input = settings.l4.price_input.has_value();
    return Error{ErrorCode::Config, "l4.price_input and l4.price_output go together",
                 input ? "l4.price_output" : "l4.price_input", "set both, or neither"};
  }
  return {};
}

std::optional<fs::path> find_project_file(const fs::path& working_dir, const fs::path& home) {
  if (working_dir.empty() || !working_dir.is_absolute()) return std::nullopt;
  const fs::path start = (working_dir / "").lexically_normal().parent_path();
  const fs::path end = home.empty() ? fs::path() : (home / "").lexically_normal().parent_path();
  std::optional<fs::path> found;
  for (fs::path folder = start;; folder = folder.parent_path()) {
    if (!found && is_there(folder / kProjectFile)) found = folder / kProjectFile;
    if (folder == end || is_there(folder / ".git")) return found;
    if (folder == folder.parent_path()) break;
  }
  if (found && found->parent_path() == start) return found;
  return std::nullopt;
}

}  // namespace tinyarms::service
