#include "engine/bert_import.h"

#include <fmt/format.h>
#include <ggml.h>
#include <llama.h>

#include <algorithm>
#include <array>
#include <exception>

#include "base/sha256.h"
#include "engine/bert_config.h"
#include "engine/gguf_writer.h"
#include "engine/llama_backend.h"
#include "engine/model_facts.h"
#include "engine/safetensors.h"

namespace tinyarms::engine {
namespace {

namespace fs = std::filesystem;

uint32_t pooling_type(Pooling pooling) {
  switch (pooling) {
    case Pooling::Mean: return LLAMA_POOLING_TYPE_MEAN;
    case Pooling::Cls: return LLAMA_POOLING_TYPE_CLS;
    case Pooling::Rank: return LLAMA_POOLING_TYPE_RANK;
  }
  return LLAMA_POOLING_TYPE_MEAN;
}

uint32_t file_type(EncoderType type) {
  switch (type) {
    case EncoderType::F32: return LLAMA_FTYPE_ALL_F32;
    case EncoderType::F16: return LLAMA_FTYPE_MOSTLY_F16;
    case EncoderType::Q8_0: return LLAMA_FTYPE_MOSTLY_Q8_0;
  }
  return LLAMA_FTYPE_ALL_F32;
}

// Where a weight comes from, where it goes, and the shape it must have (rows, columns; one number
// for a vector).
struct Mapping {
  std::string source;
  std::string target;
  std::vector<uint64_t> shape;
  bool matrix = false;  // stored in the type asked for; everything else in F32
};

std::vector<Mapping> mappings_of(const BertConfig& config) {
  const uint64_t width = config.width;
  const uint64_t inner = config.feed_forward_width;
  std::vector<Mapping> all = {
      {"embeddings.word_embeddings.weight", "token_embd.weight", {config.vocabulary, width}, true},
      // Added row by row as they are: the engine has no such operation on quantised rows.
      {"embeddings.position_embeddings.weight", "position_embd.weight", {config.positions, width}},
      {"embeddings.LayerNorm.weight", "token_embd_norm.weight", {width}},
      {"embeddings.LayerNorm.bias", "token_embd_norm.bias", {width}},
  };
  const bool mpnet = config.family == BertFamily::Mpnet;
  if (mpnet) {
    all.push_back({"encoder.relative_attention_bias.weight", "attn_rel_b.weight",
                   {config.relative_buckets, config.heads}});
  } else {
    all.push_back({"embeddings.token_type_embeddings.weight", "token_types.weight",
                   {config.token_types, width}});
  }
  struct Part {
    const char* source;
    const char* target;
    uint64_t rows;
    uint64_t columns;  // 0 for a normalisation, which is a vector
  };
  const std::array<Part, 8> parts = {{
      {mpnet ? "attention.attn.q" : "attention.self.query", "attn_q", width, width},
      {mpnet ? "attention.attn.k" : "attention.self.key", "attn_k", width, width},
      {mpnet ? "attention.attn.v" : "attention.self.value", "attn_v", width, width},
      {mpnet ? "attention.attn.o" : "attention.output.dense", "attn_output", width, width},
      {mpnet ? "attention.LayerNorm" : "attention.output.LayerNorm", "attn_output_norm", width, 0},
      {"intermediate.dense", "ffn_up", inner, width},
      {"output.dense", "ffn_down", width, inner},
      {"output.LayerNorm", "layer_output_norm", width, 0},
  }};
  for (uint32_t layer = 0; layer < config.layers; ++layer) {
    for (const Part& part : parts) {
      const std::string from = fmt::format("encoder.layer.{}.{}", layer, part.source);
      const std::string to = fmt::format("blk.{}.{}", layer, part.target);
      const std::vector<uint64_t> vector = {part.rows};
      const std::vector<uint64_t> matrix = {part.rows, part.columns};
      all.push_back({from + ".weight", to + ".weight", part.columns != 0 ? matrix : vector,
                     part.columns != 0});
      all.push_back({from + ".bias", to + ".bias", vector});
    }
  }
  if (config.pooling == Pooling::Rank) {
    // The classifier reads the pooler's output, tanh(dense([CLS])).
    all.push_back({"pooler.dense.weight", "cls.weight", {width, width}, true});
    all.push_back({"pooler.dense.bias", "cls.bias", {width}});
    all.push_back({"classifier.weight", "cls.output.weight", {1, width}});
    all.push_back({"classifier.bias", "cls.output.bias", {1}});
  }
  return all;
}

// Weights may be published under the name of the model they are part of, and with TensorFlow's
// names for a normalisation's two vectors.
const Safetensors::Tensor* find_weight(const Safetensors& weights, const std::string& name) {
  std::string old = name;
  if (const size_t at = old.find("LayerNorm.weight"); at != std::string::npos) {
    old.replace(at, std::string::npos, "LayerNorm.gamma");
  } else if (const size_t bias = old.find("LayerNorm.bias"); bias != std::string::npos) {
    old.replace(bias, std::string::npos, "LayerNorm.beta");
  }
  for (const std::string& candidate : {name, "bert." + name, old, "bert." + old, "mpnet." + name}) {
    if (const auto* found = weights.find(candidate)) return found;
  }
  return nullptr;
}

std::vector<char> encode(const std::vector<float>& values, ggml_type type, int64_t columns) {
  const int64_t rows = static_cast<int64_t>(values.size()) / columns;
  std::vector<char> bytes(ggml_row_size(type, columns) * static_cast<size_t>(rows));
  ggml_quantize_chunk(type, values.data(), bytes.data(), 0, rows, columns, nullptr);
  return bytes;
}

ggml_type storage_type(const Mapping& mapping, EncoderType type) {
  if (!mapping.matrix || type == EncoderType::F32) return GGML_TYPE_F32;
  // Rows that do not divide into blocks stay in half precision.
  const bool blocks = mapping.shape.back() % static_cast<uint64_t>(
                          ggml_blck_size(GGML_TYPE_Q8_0)) == 0;
  return type == EncoderType::Q8_0 && blocks ? GGML_TYPE_Q8_0 : GGML_TYPE_F16;
}

Result<void> add_weights(const Safetensors& weights, const BertConfig& config, EncoderType type,
                         const fs::path& place, GgufWriter& writer) {
  for (const Mapping& mapping : mappings_of(config)) {
    const Safetensors::Tensor* tensor = find_weight(weights, mapping.source);
    if (tensor == nullptr) {
      return Error{ErrorCode::Corrupt, fmt::format("the tensor '{}' is missing", mapping.source),
                   place.string(), "fetch the folder again"};
    }
    if (tensor->shape != mapping.shape) {
      return Error{ErrorCode::Corrupt,
                   fmt::format("the tensor '{}' is of shape [{}], the configuration asks for [{}]",
                               mapping.source, fmt::join(tensor->shape, ", "),
                               fmt::join(mapping.shape, ", ")),
                   place.string(), "fetch the folder again"};
    }
    auto values = to_floats(*tensor, mapping.source);
    if (!values) {
      Error error = values.error();
      error.where = place.string();
      return error;
    }
    const auto columns = static_cast<int64_t>(mapping.shape.back());
    const ggml_type stored = storage_type(mapping, type);
    std::vector<int64_t> shape(mapping.shape.rbegin(), mapping.shape.rend());
    writer.add({.name = mapping.target, .type = stored, .shape = std::move(shape),
                .bytes = encode(*values, stored, columns)});
  }
  return {};
}

void set_facts(const BertConfig& config, EncoderType type, const fs::path& folder,
               GgufWriter& writer) {
  const std::string architecture = config.family == BertFamily::Mpnet ? "mpnet" : "bert";
  const auto set = [&](const char* setting, auto value) {
    writer.set(fmt::format("{}.{}", architecture, setting).c_str(), value);
  };
  writer.set("general.architecture", architecture);
  writer.set("general.name", fs::absolute(folder).lexically_normal().filename().empty()
                                 ? folder.parent_path().filename().string()
                                 : folder.filename().string());
  if (!config.licence.empty()) writer.set("general.license", config.licence);
  writer.set("general.file_type", file_type(type));
  writer.set("general.quantization_version", uint32_t{GGML_QNT_VERSION});
  set("block_count", config.layers);
  set("context_length", config.context);
  set("embedding_length", config.width);
  set("feed_forward_length", config.feed_forward_width);
  set("attention.head_count", config.heads);
  set("attention.layer_norm_epsilon", config.norm_epsilon);
  set("attention.causal", false);
  set("pooling_type", pooling_type(config.pooling));
  if (config.family == BertFamily::Mpnet) {
    set("attention.relative_buckets_count", config.relative_buckets);
    set("attention.relative_max_distance", kMpnetMaxDistance);
  }
  if (config.pooling == Pooling::Rank) {
    writer.set("bert.classifier.output_labels", std::vector<std::string>{"LABEL_0"});
  }
  writer.set(kWindowKey, config.window);
}

void set_vocabulary(const WordPieceVocabulary& vocabulary, const BertConfig& config,
                    GgufWriter& writer) {
  writer.set("tokenizer.ggml.model", "bert");
  writer.set("tokenizer.ggml.tokens", vocabulary.tokens);
  writer.set("tokenizer.ggml.token_type", vocabulary.types);
  if (config.token_types > 0) {
    writer.set("tokenizer.ggml.token_type_count", config.token_types);
  }
  writer.set("tokenizer.ggml.bos_token_id", static_cast<uint32_t>(vocabulary.begin));
  writer.set("tokenizer.ggml.cls_token_id", static_cast<uint32_t>(vocabulary.begin));
  writer.set("tokenizer.ggml.unknown_token_id", static_cast<uint32_t>(vocabulary.unknown));
  writer.set("tokenizer.ggml.seperator_token_id",  // spelt so in the specification
             static_cast<uint32_t>(vocabulary.separator));
  writer.set("tokenizer.ggml.padding_token_id", static_cast<uint32_t>(vocabulary.padding));
  if (vocabulary.mask >= 0) {
    writer.set("tokenizer.ggml.mask_token_id", static_cast<uint32_t>(vocabulary.mask));
  }
  writer.set("tokenizer.ggml.normalizer.lowercase", config.lower_case);
  writer.set("tokenizer.ggml.normalizer.strip_accents", config.strip_accents);
}

}  // namespace

Result<void> import_bert(const fs::path& folder, const fs::path& destination, EncoderType type) {
  prepare_backend();
  try {
    auto config = read_bert_config(folder);
    if (!config) return config.error();
    auto vocabulary = read_wordpiece(folder / "vocab.txt", config->special);
    if (!vocabulary) return vocabulary.error();
    if (config->family == BertFamily::Mpnet && vocabulary->padding != kMpnetPadding) {
      return Error{ErrorCode::Corrupt,
                   fmt::format("<pad> is token {}, MPNet's is {}", vocabulary->padding,
                               kMpnetPadding),
                   (folder / "vocab.txt").string(), "fetch the folder again"};
    }
    if (vocabulary->tokens.size() != config->vocabulary) {
      return Error{ErrorCode::Corrupt,
                   fmt::format("holds {} tokens, the configuration says {}",
                               vocabulary->tokens.size(), config->vocabulary),
                   (folder / "vocab.txt").string(), "fetch the folder again"};
    }
    const fs::path weights_file = folder / "model.safetensors";
    auto weights = Safetensors::open(weights_file);
    if (!weights) return weights.error();
    auto hash = sha256_file(weights_file);
    if (!hash) return hash.error();

    GgufWriter writer;
    set_facts(*config, type, folder, writer);
    writer.set("tinyarms.source_sha256", *hash);
    set_vocabulary(*vocabulary, *config, writer);
    if (auto added = add_weights(*weights, *config, type, weights_file, writer); !added) {
      return added;
    }
    return writer.write(destination);
  } catch (const std::exception& problem) {  // memory; JSON is read without exceptions
    return Error{ErrorCode::Internal, fmt::format("the import failed: {}", problem.what()),
                 folder.string(), "free some memory and try again"};
  }
}

}  // namespace tinyarms::engine
