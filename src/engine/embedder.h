// Text → unit vector, with an encoder of the BERT family (all-MiniLM-L6-v2 by default).
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
  bool truncated = false;     // the text was longer than the model's window; its head was used
};

// One thread at a time.
class Embedder {
 public:
  // `threads` 0: every core. Errors: as LanguageModel::load; Unsupported for a generative model.
  static Result<std::unique_ptr<Embedder>> load(const std::filesystem::path& path, int threads);
  virtual ~Embedder() = default;

  virtual const ModelFacts& facts() const = 0;
  virtual int dimensions() const = 0;

  // Token ids with the special tokens around them, cut to the window.
  virtual Result<std::vector<int32_t>> tokenize(std::string_view text) const = 0;
  virtual Result<std::vector<Embedding>> embed(std::span<const std::string> texts) = 0;
};

}  // namespace tinyarms::engine
