#include "advice/stack_plan.h"

#include <algorithm>
#include <cctype>

#include "base/ascii.h"
#include "service/model_places.h"
#include "service/reranking.h"

namespace tinyarms::advice {
namespace {

// "name-q4_k_m", "name.q4_k_m" or "name:q4_k_m" in two.
std::pair<std::string, std::string> split_quantisation(const std::string& name) {
  const size_t mark = name.find_last_of(":-.");
  if (mark != std::string::npos) {
    if (const auto known = is_quantisation(name.substr(mark + 1))) {
      return {name.substr(0, mark), *known};
    }
  }
  return {name, ""};
}

const CatalogueModel* find_model(const Catalogue& catalogue, std::string name) {
  constexpr std::string_view kInstruct = "-instruct";
  if (const auto exact = catalogue.find(name)) return *exact;
  if (name.ends_with(kInstruct)) name.resize(name.size() - kInstruct.size());
  else name += kInstruct;
  const auto other = catalogue.find(name);
  return other ? *other : nullptr;
}

class Planner {
 public:
  Planner(const service::Settings& settings, const catalog::ModelStore& store,
          const Catalogue& catalogue, const StackQuestion& question)
      : settings_(settings), store_(store), catalogue_(catalogue), question_(question) {}

  void add(const std::string& tier, const std::string& model, int context) {
    if (model.empty()) return;
    PlannedTier planned{.tier = tier, .model = model};
    planned.context_tokens = context > 0 ? question_.context_tokens.value_or(
                                               static_cast<uint32_t>(context))
                                         : 0;
    auto facts = facts_for(model, planned);
    if (facts) {
      fill(*facts, planned);
    } else {
      planned.problem = facts.error();
    }
    if (!planned.problem && !planned.shared) plan_.total_bytes += planned.need.total();
    planned.cumulative_bytes = plan_.total_bytes;
    plan_.tiers.push_back(std::move(planned));
  }

  StackPlan take() { return std::move(plan_); }

 private:
  Result<engine::ModelFacts> facts_for(const std::string& name, PlannedTier& planned) const {
    auto installed = store_.find(name);
    if (installed) {
      planned.installed = true;
      return engine::inspect_model(installed->path);
    }
    if (installed.error().code != ErrorCode::NotFound) return installed.error();
    const auto known = match_catalogue(catalogue_, name);
    if (!known) return installed.error().wrap("not planned");
    planned.estimated = known->file->estimated;
    if (auto facts = facts_of(*known->model, *known->file)) return *facts;
    return Error{ErrorCode::Unsupported, "the catalogue does not know the shape of the model",
                 known->model->where, "install it: the file says more"};
  }

  void fill(const engine::ModelFacts& facts, PlannedTier& planned) const {
    planned.quantisation = facts.quantization;
    if (facts.encoder) planned.context_tokens = 0;
    if (planned.context_tokens > 0 && facts.context_tokens > 0) {
      planned.context_tokens = std::min(planned.context_tokens, facts.context_tokens);
    }
    planned.need = plan_model(facts, {.context_tokens = std::max(planned.context_tokens, 1u),
                                      .kv = question_.kv,
                                      .threads = settings_.threads});
    for (const PlannedTier& before : plan_.tiers) {
      planned.shared = planned.shared || (!before.problem && before.model == planned.model &&
                                          before.context_tokens == planned.context_tokens);
    }
  }

  const service::Settings& settings_;
  const catalog::ModelStore& store_;
  const Catalogue& catalogue_;
  const StackQuestion& question_;
  StackPlan plan_;
};

}  // namespace

std::optional<CatalogueChoice> match_catalogue(const Catalogue& catalogue, std::string_view name) {
  const auto [stem, quantisation] = split_quantisation(lowered(name));
  const CatalogueModel* model = find_model(catalogue, stem);
  if (model == nullptr || model->files.empty()) return std::nullopt;
  const ModelFile* file = model->file(quantisation.empty() ? "Q4_K_M" : quantisation);
  if (file == nullptr && quantisation.empty()) file = &model->files.front();
  if (file == nullptr) return std::nullopt;
  return CatalogueChoice{model, file};
}

StackPlan plan_stack(const service::Settings& settings, const catalog::ModelStore& store,
                     const Catalogue& catalogue, const StackQuestion& question) {
  Planner planner(settings, store, catalogue, question);
  if (settings.l1.enabled) {
    planner.add("l1", settings.l1.model, 0);
    // A method works with a model that is counted already, or with one to be installed.
    if (const auto reranker = service::reranker_setting(settings)) {
      planner.add("l1.reranker", reranker->model, 0);
    }
  }
  for (const service::NamedModel& one : service::named_models(settings)) {
    planner.add(one.place, one.model, one.context);
  }
  StackPlan plan = planner.take();
  plan.budget_bytes = service::memory_budget(settings, question.physical_bytes);
  return plan;
}

}  // namespace tinyarms::advice
