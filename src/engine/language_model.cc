#include "engine/language_model.h"

#include "engine/llama_open.h"
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

  llama_model_params parameters = llama_model_default_params();
  parameters.load_mode = load_mode(*facts);
  auto opened = load_llama_model(path, parameters, stop);
  if (!opened) return opened.error();
  llama_model* model = opened->release();
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
