// For tests and measurements: an MPNet encoder with random weights as it is published, and what its
// embeddings must be, in 64-bit floats, written from the published description and nothing of ours.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/tiny_encoder.h"

namespace tinyarms::engine::testing {

struct MpnetShape {
  int layers = 2;
  int width = 64;
  int inner = 96;
  int heads = 4;
  int positions = 514;
  int window = 384;
  int buckets = 32;
};

class TinyMpnet final : public TinyEncoder {
 public:
  explicit TinyMpnet(MpnetShape shape = {})
      : TinyEncoder({shape.layers, shape.width, shape.inner, shape.heads, 1e-5},
                    {"attention.attn.q", "attention.attn.k", "attention.attn.v",
                     "attention.attn.o", "attention.LayerNorm"},
                    17),
        shape_(shape) {
    const int w = shape_.width;
    add("embeddings.word_embeddings.weight", {kVocabulary, w});
    add("embeddings.position_embeddings.weight", {shape_.positions, w});
    add_norm("embeddings.LayerNorm");
    // As strong as the scores themselves, so that a wrong bucket shows.
    add(kBias, {shape_.buckets, shape_.heads}, 16);
    add_layers("");
    config = {{"model_type", "mpnet"},
              {"architectures", {"MPNetForMaskedLM"}},
              {"hidden_size", w},
              {"num_hidden_layers", shape_.layers},
              {"num_attention_heads", shape_.heads},
              {"intermediate_size", shape_.inner},
              {"max_position_embeddings", shape_.positions},
              {"relative_attention_num_buckets", shape_.buckets},
              {"vocab_size", kVocabulary},
              {"pad_token_id", 1},
              {"layer_norm_eps", 1e-5},
              {"hidden_act", "gelu"}};
  }

  // The folder as it is published.
  void write(const std::filesystem::path& folder) const {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "config.json") << config.dump();
    std::ofstream(folder / "vocab.txt") << vocabulary;
    std::ofstream(folder / "tokenizer_config.json")
        << R"({"do_lower_case": true, "strip_accents": null, "unk_token": {"content": "[UNK]"}})";
    std::ofstream(folder / "sentence_bert_config.json")
        << nlohmann::json{{"max_seq_length", shape_.window}}.dump();
    write_weights(folder / "model.safetensors");
  }

  // The unit vector of ids with their special tokens, by mean pooling.
  Row embed(const std::vector<int32_t>& ids) const {
    const auto w = static_cast<size_t>(shape_.width);
    Rows x;
    for (size_t i = 0; i < ids.size(); ++i) {
      Row row(w);
      for (size_t c = 0; c < w; ++c) {
        row[c] = at("embeddings.word_embeddings.weight", size_t(ids[i]) * w + c) +
                 at("embeddings.position_embeddings.weight", (i + 2) * w + c);
      }
      x.push_back(norm(row, "embeddings.LayerNorm"));
    }
    x = encode(std::move(x), "");
    Row mean(w, 0.0);
    double squares = 0;
    for (size_t c = 0; c < w; ++c) {
      for (const Row& row : x) mean[c] += row[c] / static_cast<double>(x.size());
      squares += mean[c] * mean[c];
    }
    for (double& value : mean) value /= std::sqrt(squares);
    return mean;
  }

  // Which of 32 buckets a token `ahead` places further on falls into, counted by hand: its own up
  // to seven places, then up to 8 × 16^(1/8), 8 × 16^(2/8), …, and the last from 91 places on.
  static int bucket(int ahead) {
    static constexpr int kEdges[] = {8, 12, 16, 23, 32, 46, 64, 91};
    const int apart = std::abs(ahead);
    int found = std::min(apart, 7);
    for (const int edge : kEdges) found += apart >= edge ? 1 : 0;
    return found + (ahead > 0 ? 16 : 0);
  }

  static constexpr int kVocabulary = 14;
  nlohmann::json config;
  std::string vocabulary =
      "<s>\n<pad>\n</s>\n<unk>\n[PAD]\n[UNK]\nre\n##verse\nlist\na\n,\n##s\nsort\n<mask>\n";

 private:
  static constexpr const char* kBias = "encoder.relative_attention_bias.weight";

  double score_bias(size_t head, int ahead) const override {
    return at(kBias, static_cast<size_t>(bucket(ahead) * shape_.heads) + head);
  }

  MpnetShape shape_;
};

}  // namespace tinyarms::engine::testing
