#include "service/language_tiers.h"

#include "cascade/ensemble.h"
#include "service/library_access.h"
#include "service/model_places.h"
#include "tiers/answer_comparison.h"

namespace tinyarms::service {
namespace {

using cascade::Level;

tiers::DraftUse draft_use(const EscalationSettings& settings) {
  const auto setting = [](Toggle toggle) {
    if (toggle == Toggle::Auto) return tiers::DraftSetting::Auto;
    return toggle == Toggle::On ? tiers::DraftSetting::On : tiers::DraftSetting::Off;
  };
  return {.speculate = setting(settings.speculate),
          .lookup = setting(settings.lookup),
          .endorse_from = settings.endorse};
}

std::unique_ptr<cascade::Tier> tier_of(Level level, const LanguageTierParts& parts,
                                       const std::string& usual,
                                       std::vector<tiers::Specialist> specialists) {
  const Settings& settings = parts.settings;
  const LanguageSettings& own = level == Level::L3 ? settings.l3 : settings.l2;
  return std::make_unique<tiers::LanguageTier>(
      tiers::LanguageTierOptions{
          .level = level,
          .model = resolve_model(parts.store, usual),
          .specialists = std::move(specialists),
          .certainty_min = settings.specialists.certainty,
          .context_tokens = static_cast<uint32_t>(own.context),
          .system_prompt = own.system_prompt,
          .engine = parts.engine,
          // L2 has no draft below it.
          .drafts = level == Level::L3 ? draft_use(settings.escalation) : tiers::DraftUse{},
          .signals = parts.signals,
          .early_aborts = parts.early_aborts,
          .prefetcher = parts.models.prefetcher(),
          .resolve = [store = parts.store](
                         const std::string& name) { return resolve_model(store, name); }},
      parts.models.shelf());
}

}  // namespace

tiers::ModelRef reference_to(const catalog::InstalledModel& model) {
  tiers::ModelRef ref{.name = model.name,
                      .path = model.path,
                      .sha256 = identity_of(model),
                      .quantization = model.quantization,
                      .problem = {}};
  if (!model.problem.empty()) {
    ref.problem = Error{ErrorCode::Corrupt, model.problem, model.path.string(),
                        "import the model again: tinyarms models import …"};
  }
  return ref;
}

tiers::ModelRef resolve_model(const catalog::ModelStore& store, const std::string& name) {
  tiers::ModelRef ref;
  ref.name = name;
  if (name.empty()) return ref;
  auto model = store.find(name);
  if (model) return reference_to(*model);
  ref.problem = model.error();
  return ref;
}

bool has_ensemble(const Settings& settings) {
  return !settings.l2.ensemble.empty() || !settings.l3.ensemble.empty();
}

std::unique_ptr<cascade::Tier> make_language_tier(Level level, const LanguageTierParts& parts) {
  const LanguageSettings& own = level == Level::L3 ? parts.settings.l3 : parts.settings.l2;
  std::vector<tiers::Specialist> specialists;
  const std::vector<NamedModel> models = models_of(parts.settings, level);
  for (const NamedModel& one : models) {
    if (one.kind.empty()) continue;
    specialists.push_back({.kind = one.kind,
                           .model = resolve_model(parts.store, one.model),
                           .setting = one.setting});
  }
  auto usual = tier_of(level, parts, models.front().model, std::move(specialists));
  if (own.ensemble.empty()) return usual;
  return std::make_unique<cascade::Ensemble>(
      std::move(usual), tier_of(level, parts, models.back().model, {}),
      cascade::EnsembleOptions{.rule = own.ensemble_rule,
                               .estimator = parts.estimator,
                               .compare = tiers::compare_answers(parts.judge)});
}

}  // namespace tinyarms::service
