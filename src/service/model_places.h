// Where the settings name language models: each tier's usual one, its specialists, the other of an
// ensemble. One list for whoever counts, checks or compares them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cascade/level.h"
#include "service/settings.h"

namespace tinyarms::service {

struct NamedModel {
  cascade::Level level = cascade::Level::L2;
  std::string place{};    // "l2", "l2.general", "l2.language.de", "l2.ensemble"
  std::string kind{};     // of questions, of a specialist: "general", "language.de"
  std::string model{};    // as configured
  std::string setting{};  // "l2.specialists.language.de"
  int context = 0;
};

// Of that level: its usual model first, which may be unnamed (empty), then its specialists, then
// the second of an ensemble.
std::vector<NamedModel> models_of(const Settings& settings, cascade::Level level);

// Of every level that is switched on, those that are named.
std::vector<NamedModel> named_models(const Settings& settings);

}  // namespace tinyarms::service
