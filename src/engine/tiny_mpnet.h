// For tests and measurements: an MPNet encoder with random weights as it is published, and what its
// embeddings must be, in 64-bit floats, written from the published description and nothing of ours.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

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

class TinyMpnet {
 public:
  using Row = std::vector<double>;
  using Rows = std::vector<Row>;

  explicit TinyMpnet(MpnetShape shape = {}) : shape_(shape) {
    const int w = shape_.width;
    add("embeddings.word_embeddings.weight", {kVocabulary, w});
    add("embeddings.position_embeddings.weight", {shape_.positions, w});
    add_norm("embeddings.LayerNorm");
    // As strong as the scores themselves, so that a wrong bucket shows.
    add("encoder.relative_attention_bias.weight", {shape_.buckets, shape_.heads}, 16);
    for (int i = 0; i < shape_.layers; ++i) {
      const std::string layer = "encoder.layer." + std::to_string(i) + ".";
      for (const char* part : {"q", "k", "v", "o"}) {
        add_dense(layer + "attention.attn." + part, w, w);
      }
      add_norm(layer + "attention.LayerNorm");
      add_dense(layer + "intermediate.dense", shape_.inner, w);
      add_dense(layer + "output.dense", w, shape_.inner);
      add_norm(layer + "output.LayerNorm");
    }
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
    nlohmann::json table = nlohmann::json::object();
    size_t end = 0;
    for (const auto& [name, values] : weights) {
      const size_t begin = end;
      end += values.size() * sizeof(float);
      table[name] = {{"dtype", "F32"}, {"shape", shapes_.at(name)}, {"data_offsets", {begin, end}}};
    }
    const std::string text = table.dump();
    const uint64_t length = text.size();
    std::ofstream file(folder / "model.safetensors", std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length);
    file << text;
    for (const auto& [name, values] : weights) {
      file.write(reinterpret_cast<const char*>(values.data()),
                 static_cast<std::streamsize>(values.size() * sizeof(float)));
    }
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
    for (int i = 0; i < shape_.layers; ++i) {
      const std::string layer = "encoder.layer." + std::to_string(i) + ".";
      const Rows seen = attend(x, layer + "attention.attn.");
      for (size_t r = 0; r < x.size(); ++r) {
        const Row middle = norm(sum(x[r], dense(seen[r], layer + "attention.attn.o")),
                                layer + "attention.LayerNorm");
        Row inner = dense(middle, layer + "intermediate.dense");
        for (double& value : inner) value *= 0.5 * (1 + std::erf(value / std::sqrt(2.0)));
        x[r] = norm(sum(middle, dense(inner, layer + "output.dense")), layer + "output.LayerNorm");
      }
    }
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
  std::map<std::string, std::vector<float>> weights;

 private:
  void add(const std::string& name, std::vector<int> shape, float spread = 0.4f) {
    size_t count = 1;
    for (const int extent : shape) count *= static_cast<size_t>(extent);
    std::vector<float> values(count);
    for (float& value : values) {
      value = (static_cast<float>(random_()) / 4294967296.0f - 0.5f) * spread;
      if (name.ends_with("LayerNorm.weight")) value += 1;
    }
    weights[name] = std::move(values);
    shapes_[name] = std::move(shape);
  }
  void add_dense(const std::string& name, int rows, int columns) {
    add(name + ".weight", {rows, columns});
    add(name + ".bias", {rows});
  }
  void add_norm(const std::string& name) {
    add(name + ".weight", {shape_.width});
    add(name + ".bias", {shape_.width});
  }

  double at(const std::string& name, size_t index) const { return weights.at(name).at(index); }

  static Row sum(Row a, const Row& b) {
    for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }
  Row dense(const Row& x, const std::string& name) const {
    const auto& weight = weights.at(name + ".weight");
    const auto& bias = weights.at(name + ".bias");
    Row out(bias.begin(), bias.end());
    for (size_t r = 0; r < out.size(); ++r) {
      for (size_t c = 0; c < x.size(); ++c) out[r] += double(weight[r * x.size() + c]) * x[c];
    }
    return out;
  }
  Row norm(Row x, const std::string& name) const {
    double mean = 0, variance = 0;
    for (const double value : x) mean += value / static_cast<double>(x.size());
    for (const double value : x) {
      variance += (value - mean) * (value - mean) / static_cast<double>(x.size());
    }
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = (x[i] - mean) / std::sqrt(variance + 1e-5) * at(name + ".weight", i) +
             at(name + ".bias", i);
    }
    return x;
  }
  Rows attend(const Rows& x, const std::string& name) const {
    Rows queries, keys, values, out(x.size(), Row(x[0].size(), 0.0));
    for (const Row& row : x) {
      queries.push_back(dense(row, name + "q"));
      keys.push_back(dense(row, name + "k"));
      values.push_back(dense(row, name + "v"));
    }
    const auto heads = static_cast<size_t>(shape_.heads);
    const size_t wide = x[0].size() / heads;
    for (size_t head = 0; head < heads; ++head) {
      for (size_t q = 0; q < x.size(); ++q) {
        Row powers;
        double total = 0;
        for (size_t k = 0; k < x.size(); ++k) {
          double product = 0;
          for (size_t c = head * wide; c < (head + 1) * wide; ++c) {
            product += queries[q][c] * keys[k][c];
          }
          const auto of = static_cast<size_t>(bucket(static_cast<int>(k) - static_cast<int>(q)));
          powers.push_back(std::exp(product / std::sqrt(static_cast<double>(wide)) +
                                    at("encoder.relative_attention_bias.weight",
                                       of * heads + head)));
          total += powers.back();
        }
        for (size_t k = 0; k < x.size(); ++k) {
          for (size_t c = head * wide; c < (head + 1) * wide; ++c) {
            out[q][c] += powers[k] / total * values[k][c];
          }
        }
      }
    }
    return out;
  }

  MpnetShape shape_;
  std::mt19937 random_{17};
  std::map<std::string, std::vector<int>> shapes_;
};

}  // namespace tinyarms::engine::testing
