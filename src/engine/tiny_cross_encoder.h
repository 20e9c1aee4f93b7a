// For tests and benchmarks: a cross-encoder with random weights as it is published (a folder of
// safetensors, vocabulary and configuration), and what its scores must be, in 64-bit floats.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "engine/tiny_encoder.h"

namespace tinyarms::engine::testing {

struct CrossEncoderShape {
  int layers = 2;
  int width = 64;
  int inner = 96;
  int heads = 4;
  int positions = 32;
  bool one_type = false;  // the second token type is as the first, as libllama takes it
  std::string vocabulary =
      "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nre\n##verse\nlist\na\n,\n##s\nsort\n";
};

class TinyCrossEncoder final : public TinyEncoder {
 public:
  explicit TinyCrossEncoder(CrossEncoderShape shape)
      : TinyEncoder({shape.layers, shape.width, shape.inner, shape.heads, 1e-12},
                    {"attention.self.query", "attention.self.key", "attention.self.value",
                     "attention.output.dense", "attention.output.LayerNorm"},
                    11),
        shape_(std::move(shape)) {
    std::istringstream lines(shape_.vocabulary);
    for (std::string line; std::getline(lines, line);) ++vocabulary_;
    const int w = shape_.width;
    add("bert.embeddings.word_embeddings.weight", {vocabulary_, w});
    add("bert.embeddings.position_embeddings.weight", {shape_.positions, w});
    add("bert.embeddings.token_type_embeddings.weight", {2, w});
    if (shape_.one_type) {
      auto& types = weights["bert.embeddings.token_type_embeddings.weight"];
      std::copy_n(types.begin(), w, types.begin() + w);
    }
    add_norm("bert.embeddings.LayerNorm");
    add_layers("bert.");
    add_dense("bert.pooler.dense", w, w);
    add_dense("classifier", 1, w);
  }

  // The folder as it is published.
  void write(const std::filesystem::path& folder) const {
    std::filesystem::create_directories(folder);
    const nlohmann::json config = {
        {"model_type", "bert"},
        {"architectures", {"BertForSequenceClassification"}},
        {"id2label", {{"0", "LABEL_0"}}},
        {"hidden_size", shape_.width},
        {"num_hidden_layers", shape_.layers},
        {"num_attention_heads", shape_.heads},
        {"intermediate_size", shape_.inner},
        {"max_position_embeddings", shape_.positions},
        {"type_vocab_size", 2},
        {"vocab_size", vocabulary_},
        {"layer_norm_eps", 1e-12},
        {"hidden_act", "gelu"}};
    std::ofstream(folder / "config.json") << config.dump();
    std::ofstream(folder / "vocab.txt") << shape_.vocabulary;
    write_weights(folder / "model.safetensors");
  }

  // Of the ids of a whole pair, whose second part begins at `second`.
  double score(const std::vector<int32_t>& ids, size_t second) const {
    const auto w = static_cast<size_t>(shape_.width);
    Rows x;
    for (size_t i = 0; i < ids.size(); ++i) {
      Row row(w);
      for (size_t c = 0; c < w; ++c) {
        row[c] = at("bert.embeddings.word_embeddings.weight", size_t(ids[i]) * w + c) +
                 at("bert.embeddings.position_embeddings.weight", i * w + c) +
                 at("bert.embeddings.token_type_embeddings.weight", (i < second ? 0 : w) + c);
      }
      x.push_back(norm(row, "bert.embeddings.LayerNorm"));
    }
    Row pooled = dense(encode(std::move(x), "bert.")[0], "bert.pooler.dense");
    for (double& value : pooled) value = std::tanh(value);
    return dense(pooled, "classifier")[0];
  }

 private:
  CrossEncoderShape shape_;
  int vocabulary_ = 0;
};

}  // namespace tinyarms::engine::testing
