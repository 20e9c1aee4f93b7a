#include "door/model_names.h"

#include <fmt/format.h>

#include "service/model_places.h"

namespace tinyarms::door {
namespace {

using cascade::Level;

constexpr double kListSeconds = 2;  // how old a listing of the folder may be

// What `auto:fast` asks of an answer: hardly anything.
constexpr double kFastThreshold = 0.3;

std::string language_models(Level level, const service::Settings& settings) {
  std::string text;
  for (const service::NamedModel& one : service::models_of(settings, level)) {
    if (one.model.empty()) continue;
    text += text.empty() ? one.model : fmt::format(", {}", one.model);
    if (!one.kind.empty()) text += fmt::format(" for {}", one.kind);
  }
  return text.empty() ? "not configured" : text;
}

std::string tier_description(Level level, const service::Settings& settings) {
  switch (level) {
    case Level::L0: return "rules";
    case Level::L1: return "answers given before";
    case Level::L2:
    case Level::L3: return language_models(level, settings);
    case Level::L4:
      return settings.offline || settings.l4.urls.empty() ? "not configured" : settings.l4.model;
  }
  return "";
}

}  // namespace

std::vector<catalog::InstalledModel> ModelNames::installed() const {
  const std::lock_guard lock(mutex_);
  const double now = clock_.monotonic_seconds();
  if (now - read_at_ > kListSeconds) {
    auto read = store_.list();
    installed_ = read ? std::move(*read) : std::vector<catalog::InstalledModel>();
    read_at_ = now;
  }
  return installed_;
}

std::vector<ModelEntry> ModelNames::list(const service::Settings& settings) const {
  std::vector<ModelEntry> entries = {
      {"auto", "cascade", "the cheapest tier that is sure enough"},
      {"auto:fast", "cascade", "never above l2, and content with less"},
      {"auto:balanced", "cascade", "the same as auto"},
      {"auto:best", "cascade", "begins with the largest model there is"},
  };
  for (const Level level : cascade::kLevels) {
    entries.push_back({std::string(cascade::level_name(level)), "tier",
                       tier_description(level, settings)});
  }
  for (const catalog::InstalledModel& model : installed()) {
    if (!model.problem.empty()) continue;
    entries.push_back({model.name, model.encoder ? "encoder" : "language",
                       fmt::format("{} {}", model.architecture, model.quantization)});
  }
  return entries;
}

std::optional<ModelEntry> ModelNames::find(const std::string& name,
                                           const service::Settings& settings) const {
  for (ModelEntry& entry : list(settings)) {
    if (entry.name == name) return std::move(entry);
  }
  return std::nullopt;
}

std::optional<openai::ApiError> ModelNames::apply(const std::string& name,
                                                  const service::Settings& settings,
                                                  cascade::Request& request) const {
  if (name == "auto" || name == "auto:balanced") return std::nullopt;
  if (name == "auto:fast") {
    request.level_max = Level::L2;
    if (!request.threshold) request.threshold = kFastThreshold;
    return std::nullopt;
  }
  if (name == "auto:best") {
    const bool remote = !settings.offline && !settings.l4.urls.empty();
    const bool large = settings.l3.enabled && !settings.l3.model.empty();
    request.level_min = large ? Level::L3 : remote ? Level::L4 : Level::L2;
    return std::nullopt;
  }
  if (auto level = cascade::parse_level(name)) {
    request.only_level = *level;
    return std::nullopt;
  }
  const auto entry = find(name, settings);
  if (!entry) return openai::unknown_model(name);
  if (entry->kind == "encoder") {
    return openai::bad_request(
        fmt::format("{} is an embedding model: it answers at /v1/embeddings", name), "model");
  }
  request.only_level = Level::L2;
  request.model = name;
  return std::nullopt;
}

}  // namespace tinyarms::door
