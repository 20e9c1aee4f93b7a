// A generative model as a reranker: how much likelier it is to answer "yes" than "no" when asked
// whether a passage meets a query (as Qwen3-Reranker is asked; Zhang et al. 2025). Needs no weights
// but those of the small model; one prefill a passage, so slow beside an encoder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/result.h"
#include "engine/reranker.h"

namespace tinyarms::engine {

inline constexpr uint32_t kYesNoContextTokens = 2048;  // of query and passage together
inline constexpr uint32_t kYesNoBatchTokens = 512;

// A score is log p(yes) − log p(no). A passage that does not fit is cut at its end. `threads` 0:
// every core. Errors: those of LanguageModel::load and ChoiceScorer::create; Unsupported (an
// encoder, no chat template).
Result<std::unique_ptr<Reranker>> load_yes_no_reranker(const std::filesystem::path& path,
                                                       int threads);

}  // namespace tinyarms::engine
