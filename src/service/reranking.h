// Which reranker the settings or a command ask for, and loading it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/paths.h"
#include "base/result.h"
#include "engine/reranker.h"
#include "service/counted_models.h"
#include "service/settings.h"

namespace tinyarms::service {

enum class RerankMethod { CrossEncoder, LateInteraction, YesNo };

std::string_view name_of(RerankMethod method);  // "cross-encoder", "late-interaction", "yes-no"
std::optional<RerankMethod> rerank_method(std::string_view name);

struct RerankChoice {
  std::optional<RerankMethod> method;  // nothing: the one that the model is made for
  std::string model;                   // empty: the one that the settings name for the method
};

// What `l1.reranker` says; nothing for "off". A name that is no method is a model's.
std::optional<RerankChoice> reranker_setting(const Settings& settings);

struct LoadedReranker {
  RerankMethod method = RerankMethod::CrossEncoder;
  std::string model;
  std::unique_ptr<engine::Reranker> reranker;
};

// An empty choice is what `l1.reranker` says, and late interaction where that is "off". Errors:
// those of ModelStore::find and of loading; NotFound (cross-encoder without a model's name and none
// installed), InvalidArgument (several are installed), OverBudget (where it is counted).
Result<LoadedReranker> load_reranker(const RerankChoice& choice, const Settings& settings,
                                     const Paths& paths, const Counting& counting = {});

}  // namespace tinyarms::service
