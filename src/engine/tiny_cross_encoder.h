// For tests and benchmarks: a cross-encoder with random weights as it is published (a folder of
// safetensors, vocabulary and configuration), and what its scores must be, in 64-bit floats.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string>
#include <vector>

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

class TinyCrossEncoder {
 public:
  explicit TinyCrossEncoder(CrossEncoderShape shape) : shape_(std::move(shape)) {
    std::istringstream lines(shape_.vocabulary);
    for (std::string line; std::getline(lines, line);) ++vocabulary_;
    const int w = shape_.width;
    add("bert.embeddings.word_embeddings.weight", {vocabulary_, w});
    add("bert.embeddings.position_embeddings.weight", {shape_.positions, w});
    add("bert.embeddings.token_type_embeddings.weight", {2, w});
    if (shape_.one_type) {
      auto& types = weights_["bert.embeddings.token_type_embeddings.weight"];
      std::copy_n(types.begin(), w, types.begin() + w);
    }
    add_norm("bert.embeddings.LayerNorm");
    for (int i = 0; i < shape_.layers; ++i) {
      const std::string layer = "bert.encoder.layer." + std::to_string(i) + ".";
      for (const char* part : {"query", "key", "value"}) {
        add_dense(layer + "attention.self." + part, w, w);
      }
      add_dense(layer + "attention.output.dense", w, w);
      add_norm(layer + "attention.output.LayerNorm");
      add_dense(layer + "intermediate.dense", shape_.inner, w);
      add_dense(layer + "output.dense", w, shape_.inner);
      add_norm(layer + "output.LayerNorm");
    }
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
    nlohmann::json table = nlohmann::json::object();
    size_t end = 0;
    for (const auto& [name, values] : weights_) {
      const size_t begin = end;
      end += values.size() * sizeof(float);
      table[name] = {{"dtype", "F32"}, {"shape", shapes_.at(name)}, {"data_offsets", {begin, end}}};
    }
    const std::string text = table.dump();
    const uint64_t length = text.size();
    std::ofstream file(folder / "model.safetensors", std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length);
    file << text;
    for (const auto& [name, values] : weights_) {
      file.write(reinterpret_cast<const char*>(values.data()),
                 static_cast<std::streamsize>(values.size() * sizeof(float)));
    }
  }

  // Of the ids of a whole pair, whose second part begins at `second`. As the paper writes it down,
  // without regard to speed.
  double score(const std::vector<int32_t>& ids, size_t second) const {
    const auto w = static_cast<size_t>(shape_.width);
    Rows x;
    for (size_t i = 0; i < ids.size(); ++i) {
      std::vector<double> row(w);
      for (size_t c = 0; c < w; ++c) {
        row[c] = of("bert.embeddings.word_embeddings.weight", size_t(ids[i]) * w + c) +
                 of("bert.embeddings.position_embeddings.weight", i * w + c) +
                 of("bert.embeddings.token_type_embeddings.weight", (i < second ? 0 : w) + c);
      }
      x.push_back(norm(row, "bert.embeddings.LayerNorm"));
    }
    for (int i = 0; i < shape_.layers; ++i) {
      const std::string layer = "bert.encoder.layer." + std::to_string(i) + ".";
      const Rows context = attend(x, layer + "attention.self.");
      for (size_t row = 0; row < x.size(); ++row) {
        const auto seen = norm(sum(x[row], dense(context[row], layer + "attention.output.dense")),
                               layer + "attention.output.LayerNorm");
        auto inner = dense(seen, layer + "intermediate.dense");
        for (double& value : inner) value *= 0.5 * (1 + std::erf(value / std::sqrt(2.0)));
        x[row] = norm(sum(seen, dense(inner, layer + "output.dense")), layer + "output.LayerNorm");
      }
    }
    auto pooled = dense(x[0], "bert.pooler.dense");
    for (double& value : pooled) value = std::tanh(value);
    return dense(pooled, "classifier")[0];
  }

 private:
  using Rows = std::vector<std::vector<double>>;

  void add(const std::string& name, std::vector<int> shape) {
    size_t count = 1;
    for (const int extent : shape) count *= static_cast<size_t>(extent);
    std::vector<float> values(count);
    for (float& value : values) {
      value = (static_cast<float>(random_()) / 4294967296.0f - 0.5f) * 0.4f;
    }
    if (name.ends_with("LayerNorm.weight")) {
      for (float& value : values) value += 1;
    }
    weights_[name] = std::move(values);
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

  double of(const std::string& name, size_t at) const { return weights_.at(name).at(at); }

  static std::vector<double> sum(std::vector<double> a, const std::vector<double>& b) {
    for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }
  std::vector<double> dense(const std::vector<double>& x, const std::string& name) const {
    const auto& weight = weights_.at(name + ".weight");
    const auto& bias = weights_.at(name + ".bias");
    std::vector<double> out(bias.begin(), bias.end());
    for (size_t row = 0; row < out.size(); ++row) {
      for (size_t c = 0; c < x.size(); ++c) out[row] += weight[row * x.size() + c] * x[c];
    }
    return out;
  }
  std::vector<double> norm(std::vector<double> x, const std::string& name) const {
    double mean = 0, variance = 0;
    for (const double value : x) mean += value / static_cast<double>(x.size());
    for (const double value : x) {
      variance += (value - mean) * (value - mean) / static_cast<double>(x.size());
    }
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = (x[i] - mean) / std::sqrt(variance + 1e-12) * of(name + ".weight", i) +
             of(name + ".bias", i);
    }
    return x;
  }
  Rows attend(const Rows& x, const std::string& name) const {
    Rows queries, keys, values, out(x.size(), std::vector<double>(x[0].size()));
    for (const auto& row : x) {
      queries.push_back(dense(row, name + "query"));
      keys.push_back(dense(row, name + "key"));
      values.push_back(dense(row, name + "value"));
    }
    const auto heads = static_cast<size_t>(shape_.heads);
    const size_t wide = x[0].size() / heads;
    for (size_t head = 0; head < heads; ++head) {
      for (size_t q = 0; q < x.size(); ++q) {
        std::vector<double> weights;
        double total = 0;
        for (size_t k = 0; k < x.size(); ++k) {
          double product = 0;
          for (size_t c = head * wide; c < (head + 1) * wide; ++c) {
            product += queries[q][c] * keys[k][c];
          }
          weights.push_back(std::exp(product / std::sqrt(static_cast<double>(wide))));
          total += weights.back();
        }
        for (size_t k = 0; k < x.size(); ++k) {
          for (size_t c = head * wide; c < (head + 1) * wide; ++c) {
            out[q][c] += weights[k] / total * values[k][c];
          }
        }
      }
    }
    return out;
  }

  CrossEncoderShape shape_;
  int vocabulary_ = 0;
  std::mt19937 random_{11};
  std::map<std::string, std::vector<float>> weights_;
  std::map<std::string, std::vector<int>> shapes_;
};

}  // namespace tinyarms::engine::testing
