// A generative model's weights: const after load, shared by any number of generators.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/stop_flag.h"
#include "engine/model_facts.h"

struct llama_model;

namespace tinyarms::engine {

class LanguageModel {
 public:
  // Maps the file, or reads it where its types are rearranged in memory anyway. Errors: those of
  // inspect_model; Unsupported (an encoder, or an architecture that the engine does not know);
  // Corrupt (the engine refused it; `what` carries its words); Interrupted, between two tensors,
  // where `stop` (may be null) is raised meanwhile.
  static Result<std::unique_ptr<const LanguageModel>> load(const std::filesystem::path& path,
                                                           const StopFlag* stop = nullptr);
  ~LanguageModel();
  LanguageModel(const LanguageModel&) = delete;
  LanguageModel& operator=(const LanguageModel&) = delete;

  const ModelFacts& facts() const { return facts_; }
  // The same for two models whose token ids mean the same (engine/vocabulary.h). Some 10 ms.
  std::string vocabulary_fingerprint() const;
  // False where layers keep one state for all that was read: no token can be taken back.
  bool can_rewind() const;
  const llama_model* handle() const { return model_; }  // for the rest of engine/ only

 private:
  LanguageModel(ModelFacts facts, llama_model* model);

  ModelFacts facts_;
  llama_model* model_;
};

}  // namespace tinyarms::engine
