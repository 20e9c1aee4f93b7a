// Test support: GGUF bytes made by hand, so that a test can lie in any field, and a complete
// language model of a few kilobytes with random weights, so that most of the engine is tested
// without real ones.
#pragma once

#include <ggml.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/temporary_folder.h"
#include "engine/gguf_writer.h"

namespace tinyarms::engine::testing {

using tinyarms::read_bytes;
using tinyarms::TemporaryFolder;
using tinyarms::write_bytes;

// Appends little-endian fields in the order that the format wants them.
class GgufBytes {
 public:
  GgufBytes(uint32_t version, uint64_t tensors, uint64_t pairs) {
    bytes_ = "GGUF";
    number(version).number(tensors).number(pairs);
  }
  template <typename T>
  GgufBytes& number(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    return *this;
  }
  GgufBytes& text(const std::string& value) {
    number(uint64_t(value.size()));
    bytes_ += value;
    return *this;
  }
  GgufBytes& text_pair(const std::string& key, const std::string& value) {
    return text(key).number(int32_t(GGUF_TYPE_STRING)).text(value);
  }
  GgufBytes& count_pair(const std::string& key, uint32_t value) {
    return text(key).number(int32_t(GGUF_TYPE_UINT32)).number(value);
  }
  GgufBytes& tensor(const std::string& name, std::vector<uint64_t> shape, int32_t type,
                    uint64_t offset) {
    text(name).number(uint32_t(shape.size()));
    for (const uint64_t extent : shape) number(extent);
    return number(type).number(offset);
  }
  GgufBytes& pad(size_t alignment = 32) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment);
    return *this;
  }
  GgufBytes& data(size_t count) {
    bytes_.append(count, '\1');
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// How byte-level BPE vocabularies (GPT-2) spell a byte: printable ones as themselves, the rest as
// characters from U+0100 on.
inline std::string byte_token(int byte) {
  const auto printable = [](int b) {
    return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  };
  int code = byte;
  if (!printable(byte)) {
    code = 256;
    for (int b = 0; b < byte; ++b) code += printable(b) ? 0 : 1;
  }
  if (code < 128) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 63))};
}

inline constexpr const char* kChatMl =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

struct TinyOptions {
  std::string chat_template = kChatMl;
  std::string architecture = "llama";
  uint32_t layers = 1;
  uint32_t heads = 2;
  uint32_t kv_heads = 1;
  int control_type = 3;  // llama_token_type of <|im_start|> and <|im_end|>
  float scale = 0.5f;    // of the random weights
};

inline void add_random(GgufWriter& writer, std::mt19937& random, const std::string& name,
                       std::vector<int64_t> shape, float scale) {
  size_t count = 1;
  for (const int64_t extent : shape) count *= static_cast<size_t>(extent);
  std::vector<char> bytes(count * sizeof(float));
  for (size_t i = 0; i < count; ++i) {
    // Norms stay near one; everything else is uniform in ±scale.
    const float uniform = static_cast<float>(random()) / 4294967296.0f * 2 - 1;
    const float value = shape.size() == 1 ? 1.0f : uniform * scale;
    std::memcpy(bytes.data() + i * sizeof(float), &value, sizeof(float));
  }
  writer.add({.name = name, .type = GGML_TYPE_F32, .shape = std::move(shape),
              .bytes = std::move(bytes)});
}

// 259 tokens: the 256 bytes, "he", <|im_start|>, <|im_end|>. Width 64, context 512.
inline void write_tiny_model(const std::filesystem::path& path, const TinyOptions& options = {}) {
  constexpr int64_t kWidth = 64;
  constexpr int64_t kInner = 96;
  const std::string& arch = options.architecture;
  std::vector<std::string> tokens;
  std::vector<int32_t> types(257, 1);
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(byte_token(byte));
  tokens.insert(tokens.end(), {"he", "<|im_start|>", "<|im_end|>"});
  types.insert(types.end(), 2, options.control_type);

  GgufWriter writer;
  writer.set("general.architecture", arch);
  writer.set("general.name", "Tiny");
  writer.set("general.license", "apache-2.0");
  writer.set("general.file_type", uint32_t{0});
  writer.set((arch + ".block_count").c_str(), options.layers);
  writer.set((arch + ".context_length").c_str(), uint32_t{512});
  writer.set((arch + ".embedding_length").c_str(), uint32_t{kWidth});
  writer.set((arch + ".feed_forward_length").c_str(), uint32_t{kInner});
  writer.set((arch + ".attention.head_count").c_str(), options.heads);
  writer.set((arch + ".attention.head_count_kv").c_str(), options.kv_heads);
  writer.set((arch + ".attention.layer_norm_rms_epsilon").c_str(), 1e-5f);
  writer.set("tokenizer.ggml.model", "gpt2");
  writer.set("tokenizer.ggml.pre", "gpt-2");
  writer.set("tokenizer.ggml.tokens", tokens);
  writer.set("tokenizer.ggml.token_type", types);
  writer.set("tokenizer.ggml.merges", std::vector<std::string>{"h e"});
  writer.set("tokenizer.ggml.bos_token_id", uint32_t{257});
  writer.set("tokenizer.ggml.eos_token_id", uint32_t{258});
  writer.set("tokenizer.ggml.add_bos_token", false);
  if (!options.chat_template.empty()) {
    writer.set("tokenizer.chat_template", options.chat_template);
  }
  std::mt19937 random(7);
  const int64_t kv = kWidth / options.heads * options.kv_heads;
  const float scale = options.scale;
  add_random(writer, random, "token_embd.weight", {kWidth, 259}, scale);
  for (uint32_t layer = 0; layer < options.layers; ++layer) {
    const std::string blk = "blk." + std::to_string(layer) + ".";
    add_random(writer, random, blk + "attn_norm.weight", {kWidth}, 1);
    add_random(writer, random, blk + "attn_q.weight", {kWidth, kWidth}, scale);
    add_random(writer, random, blk + "attn_k.weight", {kWidth, kv}, scale);
    add_random(writer, random, blk + "attn_v.weight", {kWidth, kv}, scale);
    add_random(writer, random, blk + "attn_output.weight", {kWidth, kWidth}, scale);
    add_random(writer, random, blk + "ffn_norm.weight", {kWidth}, 1);
    add_random(writer, random, blk + "ffn_gate.weight", {kWidth, kInner}, scale);
    add_random(writer, random, blk + "ffn_up.weight", {kWidth, kInner}, scale);
    add_random(writer, random, blk + "ffn_down.weight", {kInner, kWidth}, scale);
  }
  add_random(writer, random, "output_norm.weight", {kWidth}, 1);
  if (auto written = writer.write(path); !written) {
    throw std::runtime_error(written.error().message());
  }
}

}  // namespace tinyarms::engine::testing
