#include "service/reranking.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "catalog/model_store.h"
#include "encoder/text_reranker.h"
#include "engine/memory_plan.h"
#include "engine/model_facts.h"
#include "engine/yes_no_reranker.h"

namespace tinyarms::service {
namespace {

constexpr std::array<std::pair<std::string_view, RerankMethod>, 3> kMethods = {{
    {"cross-encoder", RerankMethod::CrossEncoder},
    {"late-interaction", RerankMethod::LateInteraction},
    {"yes-no", RerankMethod::YesNo},
}};

Result<std::string> installed_cross_encoder(const catalog::ModelStore& store) {
  auto models = store.list();
  if (!models) return models.error();
  std::vector<std::string> names;
  for (const catalog::InstalledModel& model : *models) {
    if (model.problem.empty() && model.reranker) names.push_back(model.name);
  }
  if (names.size() == 1) return names.front();
  if (names.empty()) {
    return Error{ErrorCode::NotFound, "no cross-encoder is installed", "",
                 "bring one in: tinyarms models import FOLDER; or use --method late-interaction"};
  }
  return Error{ErrorCode::InvalidArgument, "several cross-encoders are installed", "",
               fmt::format("say which with --model: {}", fmt::join(names, ", "))};
}

Result<std::string> model_for(RerankMethod method, const Settings& settings,
                              const catalog::ModelStore& store) {
  switch (method) {
    case RerankMethod::CrossEncoder: return installed_cross_encoder(store);
    case RerankMethod::LateInteraction: return settings.l1.model;
    case RerankMethod::YesNo: return settings.l2.model;
  }
  return settings.l1.model;
}

Result<std::unique_ptr<engine::Reranker>> open_model(RerankMethod method,
                                                     const std::filesystem::path& path,
                                                     int threads) {
  switch (method) {
    case RerankMethod::CrossEncoder:
      return encoder::load_cross_encoder(path, {.threads = threads, .precision = {}});
    case RerankMethod::LateInteraction:
      return encoder::load_late_interaction(path, {.threads = threads, .precision = {}});
    case RerankMethod::YesNo: return engine::load_yes_no_reranker(path, threads);
  }
  return engine::load_yes_no_reranker(path, threads);
}

uint64_t reranker_bytes(RerankMethod method, const engine::ModelFacts& facts, int threads) {
  if (method != RerankMethod::YesNo) return encoder_bytes(facts, threads);
  return engine::plan_memory(facts, engine::kYesNoContextTokens, engine::kYesNoBatchTokens).total();
}

}  // namespace

std::string_view name_of(RerankMethod method) {
  for (const auto& [name, each] : kMethods) {
    if (each == method) return name;
  }
  return "";
}

std::optional<RerankMethod> rerank_method(std::string_view name) {
  for (const auto& [each, method] : kMethods) {
    if (each == name) return method;
  }
  return std::nullopt;
}

std::optional<RerankChoice> reranker_setting(const Settings& settings) {
  const std::string& value = settings.l1.reranker;
  if (value.empty() || value == "off") return std::nullopt;
  if (const auto method = rerank_method(value)) return RerankChoice{.method = method, .model = ""};
  return RerankChoice{.method = {}, .model = value};
}

Result<LoadedReranker> load_reranker(const RerankChoice& choice, const Settings& settings,
                                     const Paths& paths, const Counting& counting) {
  RerankChoice wanted = choice;
  if (!wanted.method && wanted.model.empty()) {
    wanted = reranker_setting(settings)
                 .value_or(RerankChoice{.method = RerankMethod::LateInteraction, .model = ""});
  }
  const catalog::ModelStore store(paths.models_dir);
  if (wanted.model.empty()) {
    auto name = model_for(*wanted.method, settings, store);
    if (!name) return name.error();
    wanted.model = std::move(*name);
  }
  auto model = store.find(wanted.model);
  if (!model) return model.error();
  auto facts = engine::inspect_model(model->path);
  if (!facts) return facts.error();
  if (!wanted.method) {
    wanted.method = facts->reranker  ? RerankMethod::CrossEncoder
                    : facts->encoder ? RerankMethod::LateInteraction
                                     : RerankMethod::YesNo;
  }
  auto reranker = load_counted_reranker(
      *facts, reranker_bytes(*wanted.method, *facts, settings.threads), counting,
      [&] { return open_model(*wanted.method, model->path, settings.threads); });
  if (!reranker) return reranker.error();
  return LoadedReranker{.method = *wanted.method,
                        .model = model->name,
                        .reranker = std::move(*reranker)};
}

}  // namespace tinyarms::service
