// L2 and L3 as the settings describe them: a model, its specialists, or two models of whose answers
// one is taken.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cascade/policy.h"
#include "catalog/model_store.h"
#include "service/model_pool.h"
#include "service/settings.h"
#include "tiers/language_tier.h"

namespace tinyarms::service {

// What is wrong with a model is in the reference; a name is one in the store or a path.
tiers::ModelRef reference_to(const catalog::InstalledModel& model);
tiers::ModelRef resolve_model(const catalog::ModelStore& store, const std::string& name);

struct LanguageTierParts {
  const Settings& settings;
  const catalog::ModelStore& store;
  ModelPool& models;                     // outlives the tier, as do the two below
  const cascade::Estimator& estimator;
  sandbox::Judge* judge = nullptr;       // may be null: nothing is run
  std::string engine = {};
  tiers::SignalSetup signals = {};
  tiers::EarlyAborts early_aborts = {};
};

// Whether a level is set to ask two models.
bool has_ensemble(const Settings& settings);

std::unique_ptr<cascade::Tier> make_language_tier(cascade::Level level,
                                                  const LanguageTierParts& parts);

}  // namespace tinyarms::service
