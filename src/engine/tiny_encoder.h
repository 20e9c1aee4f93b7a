// For tests and benchmarks: what made-up encoders of the BERT family have in common. Random weights
// under their published names, a folder of them as it is published, and a layer in 64-bit floats as
// the papers write it down, without regard to speed and with nothing of ours.
#pragma once

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

class TinyEncoder {
 public:
  using Row = std::vector<double>;
  using Rows = std::vector<Row>;

  std::map<std::string, std::vector<float>> weights;

 protected:
  struct Shape {
    int layers;
    int width;
    int inner;
    int heads;
    double epsilon;  // of the norms
  };
  // What the parts of attention are called below "encoder.layer.N.".
  struct AttentionNames {
    const char* query;
    const char* key;
    const char* value;
    const char* out;
    const char* norm;
  };

  TinyEncoder(Shape shape, AttentionNames names, unsigned seed)
      : sizes_(shape), names_(names), random_(seed) {}
  ~TinyEncoder() = default;
  TinyEncoder(const TinyEncoder&) = default;
  TinyEncoder& operator=(const TinyEncoder&) = default;

  // Added to the score of a token `ahead` places further on.
  virtual double score_bias(size_t /*head*/, int /*ahead*/) const { return 0; }

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
    add(name + ".weight", {sizes_.width});
    add(name + ".bias", {sizes_.width});
  }
  void add_layers(const std::string& prefix) {
    const int w = sizes_.width;
    for (int i = 0; i < sizes_.layers; ++i) {
      const std::string layer = layer_name(prefix, i);
      for (const char* part : {names_.query, names_.key, names_.value, names_.out}) {
        add_dense(layer + part, w, w);
      }
      add_norm(layer + names_.norm);
      add_dense(layer + "intermediate.dense", sizes_.inner, w);
      add_dense(layer + "output.dense", w, sizes_.inner);
      add_norm(layer + "output.LayerNorm");
    }
  }

  void write_weights(const std::filesystem::path& file_path) const {
    nlohmann::json table = nlohmann::json::object();
    size_t end = 0;
    for (const auto& [name, values] : weights) {
      const size_t begin = end;
      end += values.size() * sizeof(float);
      table[name] = {{"dtype", "F32"}, {"shape", shapes_.at(name)}, {"data_offsets", {begin, end}}};
    }
    const std::string text = table.dump();
    const uint64_t length = text.size();
    std::ofstream file(file_path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length);
    file << text;
    for (const auto& [name, values] : weights) {
      file.write(reinterpret_cast<const char*>(values.data()),
                 static_cast<std::streamsize>(values.size() * sizeof(float)));
    }
  }

  // All layers, over rows that are embedded and normalised.
  Rows encode(Rows x, const std::string& prefix) const {
    for (int i = 0; i < sizes_.layers; ++i) {
      const std::string layer = layer_name(prefix, i);
      const Rows seen = attend(x, layer);
      for (size_t r = 0; r < x.size(); ++r) {
        const Row middle =
            norm(sum(x[r], dense(seen[r], layer + names_.out)), layer + names_.norm);
        Row inner = dense(middle, layer + "intermediate.dense");
        for (double& value : inner) value *= 0.5 * (1 + std::erf(value / std::sqrt(2.0)));
        x[r] = norm(sum(middle, dense(inner, layer + "output.dense")), layer + "output.LayerNorm");
      }
    }
    return x;
  }

  double at(const std::string& name, size_t index) const { return weights.at(name).at(index); }

  Row dense(const Row& x, const std::string& name) const {
    const auto& weight = weights.at(name + ".weight");
    const auto& bias = weights.at(name + ".bias");
    Row out(bias.begin(), bias.end());
    for (size_t r = 0; r < out.size(); ++r) {
      for (size_t c = 0; c < x.size(); ++c) out[r] += double{weight[r * x.size() + c]} * x[c];
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
      x[i] = (x[i] - mean) / std::sqrt(variance + sizes_.epsilon) * at(name + ".weight", i) +
             at(name + ".bias", i);
    }
    return x;
  }

 private:
  static std::string layer_name(const std::string& prefix, int index) {
    return prefix + "encoder.layer." + std::to_string(index) + ".";
  }
  static Row sum(Row a, const Row& b) {
    for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }
  Rows attend(const Rows& x, const std::string& layer) const {
    Rows queries, keys, values, out(x.size(), Row(x[0].size(), 0.0));
    for (const Row& row : x) {
      queries.push_back(dense(row, layer + names_.query));
      keys.push_back(dense(row, layer + names_.key));
      values.push_back(dense(row, layer + names_.value));
    }
    const auto heads = static_cast<size_t>(sizes_.heads);
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
          const int ahead = static_cast<int>(k) - static_cast<int>(q);
          powers.push_back(std::exp(product / std::sqrt(static_cast<double>(wide)) +
                                    score_bias(head, ahead)));
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

  Shape sizes_;
  AttentionNames names_;
  std::mt19937 random_;
  std::map<std::string, std::vector<int>> shapes_;
};

}  // namespace tinyarms::engine::testing
