#include "engine/language_model.h"

#include <fmt/format.h>
#include <llama.h>

#include <exception>

#include "engine/llama_backend.h"
#include "engine/plausible.h"
#include "engine/vocabulary.h"

namespace tinyarms::engine {
namespace {

// Weights are mapped, so that processes share them and a start reads only what it needs; but where
// most are copied into another order anyway, a mapping would keep them in memory twice (3.2 GB
// instead of 1.9 GB for a 3 B model in Q4_K_M).
llama_load_mode load_mode(const ModelFacts& facts) {
  return facts.rearranged_bytes > facts.weight_bytes / 4 ? LLAMA_LOAD_MODE_NONE
                                                         : LLAMA_LOAD_MODE_MMAP;
}

// libllama goes on while this says so.
bool still_wanted(float /*loaded: share*/, void* stop) {
  return stop == nullptr || !static_cast<const StopFlag*>(stop)->raised();
}

}  // namespace

Result<std::unique_ptr<const LanguageModel>> LanguageModel::load(
    const std::filesystem::path& path, const StopFlag* stop) {
  auto facts = inspect_model(path);
  if (!facts) return facts.error();
  if (facts->encoder) {
    return Error{ErrorCode::Unsupported, "is an embedding model, it cannot generate text",
                 path.string(), "name a generative model here"};
  }
  if (auto plausible = check_plausible(*facts); !plausible) return plausible.error();

  prepare_backend();
  forget_last_words();
  llama_model* model = nullptr;
  try {
    llama_model_params parameters = llama_model_default_params();
    parameters.n_gpu_layers = 0;
    parameters.load_mode = load_mode(*facts);
    parameters.progress_callback = still_wanted;
    parameters.progress_callback_user_data = const_cast<StopFlag*>(stop);  // it is only read
    model = llama_model_load_from_file(path.c_str(), parameters);
  } catch (const std::exception& problem) {
    return Error{ErrorCode::Corrupt, fmt::format("the engine refused it: {}", problem.what()),
                 path.string(), "fetch or import the model again"};
  }
  if (model == nullptr && stop != nullptr && stop->raised()) {
    return Error{ErrorCode::Interrupted, "stopped while it was loaded", path.string(), ""};
  }
  if (model == nullptr) {
    const std::string words = last_words();
    const bool unknown = words.find("unknown model architecture") != std::string::npos;
    return Error{unknown ? ErrorCode::Unsupported : ErrorCode::Corrupt,
                 fmt::format("the engine refused it: {}", words), path.string(),
                 unknown ? "use a model of a known architecture"
                         : "fetch or import the model again"};
  }
  std::unique_ptr<const LanguageModel> loaded(new LanguageModel(std::move(*facts), model));
  if (!llama_model_has_decoder(model) || llama_model_has_encoder(model) ||
      llama_model_is_diffusion(model)) {
    return Error{ErrorCode::Unsupported, "does not generate text token by token", path.string(),
                 "name a decoder-only language model here"};
  }
  return loaded;
}

LanguageModel::LanguageModel(ModelFacts facts, llama_model* model)
    : facts_(std::move(facts)), model_(model) {}

std::string LanguageModel::vocabulary_fingerprint() const {
  return engine::vocabulary_fingerprint(llama_model_get_vocab(model_));
}

bool LanguageModel::can_rewind() const {
  return !llama_model_is_recurrent(model_) && !llama_model_is_hybrid(model_);
}

LanguageModel::~LanguageModel() { llama_model_free(model_); }

}  // namespace tinyarms::engine
