#include "engine/imatrix.h"

#include <fmt/format.h>
#include <ggml.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/gguf_header.h"
#include "engine/gguf_writer.h"
#include "engine/mapped_file.h"
#include "engine/perplexity_pass.h"

namespace tinyarms::engine {
namespace {

constexpr std::string_view kSumsSuffix = ".in_sum2";
constexpr std::string_view kCountsSuffix = ".counts";

struct Sums {
  std::vector<double> squares;
  uint64_t rows = 0;
};

// Watches matrix products while the model computes. Called on the thread that decodes, between
// the nodes of the graph.
class Observer {
 public:
  static bool see(ggml_tensor* node, bool ask, void* self) {
    auto& observer = *static_cast<Observer*>(self);
    if (ask) return observer.wants(node);
    observer.take(node);
    return true;
  }

  bool has_experts() const { return has_experts_; }

  ImportanceMatrix result(const ChunkPass& pass, size_t chunks) const {
    ImportanceMatrix matrix;
    matrix.chunks = static_cast<uint32_t>(chunks);
    matrix.chunk_tokens = pass.chunk_tokens();
    for (const auto& [name, sums] : sums_) {
      std::vector<float> means;
      for (const double sum : sums.squares) {
        means.push_back(static_cast<float>(sum / static_cast<double>(sums.rows)));
      }
      matrix.columns.emplace(name, std::move(means));
    }
    return matrix;
  }

 private:
  bool wants(const ggml_tensor* node) {
    if (node->op == GGML_OP_MUL_MAT_ID) has_experts_ = true;
    if (node->op != GGML_OP_MUL_MAT) return false;
    const std::string_view name = node->src[0]->name;
    const bool weight = name.starts_with("blk.") && name.ends_with(".weight");
    return (weight || name == "output.weight") && node->src[1]->type == GGML_TYPE_F32 &&
           ggml_is_contiguous(node->src[1]) && node->src[1]->data != nullptr;
  }

  void take(const ggml_tensor* node) {
    const ggml_tensor& input = *node->src[1];
    Sums& sums = sums_[node->src[0]->name];
    const auto width = static_cast<size_t>(input.ne[0]);
    const auto rows = static_cast<size_t>(ggml_nrows(&input));
    sums.squares.resize(width);
    const auto* values = static_cast<const float*>(input.data);
    for (size_t row = 0; row < rows; ++row) {
      for (size_t column = 0; column < width; ++column) {
        const double value = static_cast<double>(values[row * width + column]);
        sums.squares[column] += value * value;
      }
    }
    sums.rows += rows;
  }

  std::map<std::string, Sums> sums_;
  bool has_experts_ = false;
};

std::vector<char> as_bytes(const std::vector<float>& values) {
  std::vector<char> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

Error corrupt(const std::filesystem::path& path, std::string what) {
  return Error{ErrorCode::Corrupt, std::move(what), path.string(),
               "make it again: tinyarms quantize … --imatrix-from TEXT"};
}

std::vector<float> floats_of(std::string_view bytes, const GgufTensor& tensor) {
  std::vector<float> values(tensor.elements());
  std::memcpy(values.data(), bytes.data() + tensor.offset, values.size() * sizeof(float));
  return values;
}

// One weight's entry from its two tensors.
Result<std::vector<float>> read_columns(std::string_view bytes, const GgufTensor& sums,
                                        const GgufTensor* counts,
                                        const std::filesystem::path& path) {
  const bool shaped = counts != nullptr && sums.type == GGML_TYPE_F32 &&
                      counts->type == GGML_TYPE_F32 && counts->elements() > 0 &&
                      sums.elements() % counts->elements() == 0;
  if (!shaped) {
    return corrupt(path, fmt::format("{} has no fitting counts", sums.name));
  }
  std::vector<float> values = floats_of(bytes, sums);
  const std::vector<float> rows = floats_of(bytes, *counts);
  const size_t width = values.size() / rows.size();
  for (size_t i = 0; i < values.size(); ++i) {
    const float count = rows[i / width];
    // A matrix (of one expert) that never saw a token counts all columns alike.
    values[i] = count > 0 ? values[i] / count : 1.0f;
    if (!std::isfinite(values[i]) || values[i] < 0 || count < 0) {
      return corrupt(path, fmt::format("{} holds a value that is no mean square", sums.name));
    }
  }
  return values;
}

}  // namespace

Result<ImportanceMatrix> measure_importance(const LanguageModel& model, std::string_view text,
                                            const ImportanceOptions& options,
                                            const StopFlag& stop) {
  Observer observer;
  PassOptions pass_options;
  pass_options.chunk_tokens = options.chunk_tokens;
  pass_options.threads = options.threads;
  pass_options.observer = Observer::see;
  pass_options.observer_data = &observer;
  auto pass = ChunkPass::create(model, pass_options);
  if (!pass) return pass.error();
  auto tokens = (*pass)->tokenize(text);
  if (!tokens) return tokens.error();
  const size_t length = (*pass)->chunk_tokens();
  size_t chunks = tokens->size() / length;
  if (options.chunks_max > 0) chunks = std::min(chunks, options.chunks_max);
  for (size_t i = 0; i < chunks; ++i) {
    auto logits = (*pass)->run(std::span(*tokens).subspan(i * length, length), stop);
    if (!logits) return logits.error();
    if (observer.has_experts()) {
      return Error{ErrorCode::Unsupported, "is a mixture of experts", model.facts().path.string(),
                   "use an importance matrix made by llama.cpp with --imatrix"};
    }
    if (options.progress) options.progress(i + 1, chunks);
  }
  return observer.result(**pass, chunks);
}

Result<void> write_importance(const ImportanceMatrix& matrix,
                              const std::filesystem::path& destination) {
  GgufWriter writer;
  writer.set("general.type", "imatrix");
  writer.set("imatrix.datasets", std::vector<std::string>{"text"});
  writer.set("imatrix.chunk_count", matrix.chunks);
  writer.set("imatrix.chunk_size", matrix.chunk_tokens);
  const float rows = static_cast<float>(matrix.chunks) * static_cast<float>(matrix.chunk_tokens);
  for (const auto& [name, means] : matrix.columns) {
    std::vector<float> sums(means.size());
    std::transform(means.begin(), means.end(), sums.begin(),
                   [&](float mean) { return mean * rows; });
    writer.add({.name = name + std::string(kSumsSuffix), .type = GGML_TYPE_F32,
                .shape = {static_cast<int64_t>(sums.size()), 1}, .bytes = as_bytes(sums)});
    writer.add({.name = name + std::string(kCountsSuffix), .type = GGML_TYPE_F32,
                .shape = {1, 1}, .bytes = as_bytes({rows})});
  }
  return writer.write(destination);
}

Result<ImportanceMatrix> read_importance(const std::filesystem::path& path) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  auto header = GgufHeader::parse(file->bytes(), path);
  if (!header) return header.error();
  if (header->text("general.type") != "imatrix") {
    return corrupt(path, "is no importance matrix");
  }
  ImportanceMatrix matrix;
  matrix.chunks = static_cast<uint32_t>(header->integer("imatrix.chunk_count").value_or(0));
  matrix.chunk_tokens = static_cast<uint32_t>(header->integer("imatrix.chunk_size").value_or(0));
  for (const GgufTensor& tensor : header->tensors()) {
    if (!std::string_view(tensor.name).ends_with(kSumsSuffix)) continue;
    const std::string name = tensor.name.substr(0, tensor.name.size() - kSumsSuffix.size());
    auto columns = read_columns(file->bytes(), tensor,
                                header->tensor(name + std::string(kCountsSuffix)), path);
    if (!columns) return columns.error();
    matrix.columns.emplace(name, std::move(*columns));
  }
  if (matrix.columns.empty()) return corrupt(path, "holds no columns");
  return matrix;
}

}  // namespace tinyarms::engine
