// Text → unit vector: the port, and its adapter for any embedding model that libllama runs. The
// other adapter is that of the room encoder/, which also chooses between them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/model_facts.h"

namespace tinyarms::engine {

struct Embedding {
  std::vector<float> values;  // L2 norm 1
  bool truncated = false;  // too long even in parts; its head was used
  int parts = 1;           // windows it was pooled from; one where the text fits the model's
};

// One thread at a time.
class Embedder {
 public:
  // `threads` 0: every core. Errors: as LanguageModel::load; Unsupported for a generative model.
  static Result<std::unique_ptr<Embedder>> load(const std::filesystem::path& path, int threads);
  virtual ~Embedder() = default;

  virtual const ModelFacts& facts() const = 0;
  virtual int dimensions() const = 0;

  virtual std::string_view backend() const = 0;  // what computes it, for people

  // Token ids of the text's first window, with the special tokens around them.
  virtual Result<std::vector<int32_t>> tokenize(std::string_view text) const = 0;
  virtual Result<std::vector<Embedding>> embed(std::span<const std::string> texts) = 0;
};

}  // namespace tinyarms::engine
