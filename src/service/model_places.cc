#include "service/model_places.h"

#include <fmt/format.h>

namespace tinyarms::service {

std::vector<NamedModel> models_of(const Settings& settings, cascade::Level level) {
  const LanguageSettings& tier = level == cascade::Level::L3 ? settings.l3 : settings.l2;
  const std::string name(cascade::level_name(level));
  const bool pair = !tier.ensemble.empty();
  std::vector<NamedModel> models;
  const auto add = [&](std::string kind, const std::string& model, std::string setting) {
    models.push_back({.level = level,
                      .place = kind.empty() ? name : fmt::format("{}.{}", name, kind),
                      .kind = std::move(kind),
                      .model = model,
                      .setting = fmt::format("{}.{}", name, setting),
                      .context = tier.context});
  };
  add("", pair ? tier.ensemble.front() : tier.model, pair ? "ensemble" : "model");
  if (!tier.general_model.empty()) add("general", tier.general_model, "general_model");
  for (const auto& [kind, model] : tier.specialists) {
    if (!model.empty()) add(kind, model, "specialists." + kind);
  }
  if (!pair) return models;
  add("", tier.ensemble.back(), "ensemble");
  models.back().place = name + ".ensemble";
  return models;
}

std::vector<NamedModel> named_models(const Settings& settings) {
  std::vector<NamedModel> named;
  for (const cascade::Level level : {cascade::Level::L2, cascade::Level::L3}) {
    const bool enabled =
        level == cascade::Level::L3 ? settings.l3.enabled : settings.l2.enabled;
    for (NamedModel& one : models_of(settings, level)) {
      if (enabled && !one.model.empty()) named.push_back(std::move(one));
    }
  }
  return named;
}

}  // namespace tinyarms::service
