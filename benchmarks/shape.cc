#include "shape.h"

#include <fmt/format.h>
#include <ggml.h>
#include <gguf.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/sha256.h"

namespace tinyarms::bench {
namespace {

namespace fs = std::filesystem;

// Part of the recipe: a change of how files are made must change their names.
constexpr int kRecipeVersion = 1;

constexpr const char* kChatMl =
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

class Random {
 public:
  uint64_t next() {  // xorshift64 (Marsaglia 2003)
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }

 private:
  uint64_t state_ = 0x9E3779B97F4A7C15ull;
};

// How byte-level BPE spells a byte (the GPT-2 vocabulary).
std::string byte_token(int byte) {
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

void set_half(char* at, float value) {
  const ggml_fp16_t half = ggml_fp32_to_fp16(value);
  std::memcpy(at, &half, sizeof(half));
}

// Blocks of random bits are valid but for their scales, which must be small numbers: weights come
// out at about ±0.03, as trained ones are.
void tame(char* block, ggml_type type) {
  constexpr float kScale = 1.3e-4f;
  if (type == GGML_TYPE_Q4_K) {  // scale, minimum, then 12 bytes of scales and 128 of quants
    set_half(block, kScale);
    set_half(block + 2, 7.5f * kScale);
  } else if (type == GGML_TYPE_Q6_K) {  // 192 bytes of quants, 16 signed scales, the scale
    for (int i = 192; i < 208; ++i) block[i] = static_cast<char>(block[i] % 16);
    set_half(block + 208, kScale);
  }
}

void fill(std::vector<char>& bytes, ggml_type type, Random& random) {
  if (type == GGML_TYPE_F32) {  // norms and biases
    const float one = 1.0f;
    for (size_t i = 0; i < bytes.size(); i += sizeof(one)) {
      std::memcpy(&bytes[i], &one, sizeof(one));
    }
    return;
  }
  for (size_t i = 0; i + 8 <= bytes.size(); i += 8) {
    const uint64_t bits = random.next();
    std::memcpy(&bytes[i], &bits, sizeof(bits));
  }
  const size_t block = ggml_type_size(type);
  for (size_t i = 0; i < bytes.size(); i += block) tame(&bytes[i], type);
}

struct Tensor {
  std::string name;
  ggml_type type;
  int64_t columns;
  int64_t rows;
  size_t bytes() const { return ggml_row_size(type, columns) * static_cast<size_t>(rows); }
};

// llama.cpp's rule for its "M" mixes: the first and last eighth, and every third between.
bool more_bits(uint32_t layer, uint32_t layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

std::vector<Tensor> tensors_of(const Shape& shape) {
  const int64_t width = shape.width;
  const int64_t inner = shape.feed_forward_width;
  const int64_t kv = width / shape.heads * shape.kv_heads;
  std::vector<Tensor> all = {{"token_embd.weight", GGML_TYPE_Q6_K, width, shape.vocabulary}};
  for (uint32_t layer = 0; layer < shape.layers; ++layer) {
    const std::string blk = fmt::format("blk.{}.", layer);
    const ggml_type mixed = more_bits(layer, shape.layers) ? GGML_TYPE_Q6_K : GGML_TYPE_Q4_K;
    all.push_back({blk + "attn_norm.weight", GGML_TYPE_F32, width, 1});
    all.push_back({blk + "attn_q.weight", GGML_TYPE_Q4_K, width, width});
    all.push_back({blk + "attn_q.bias", GGML_TYPE_F32, width, 1});
    all.push_back({blk + "attn_k.weight", GGML_TYPE_Q4_K, width, kv});
    all.push_back({blk + "attn_k.bias", GGML_TYPE_F32, kv, 1});
    all.push_back({blk + "attn_v.weight", mixed, width, kv});
    all.push_back({blk + "attn_v.bias", GGML_TYPE_F32, kv, 1});
    all.push_back({blk + "attn_output.weight", GGML_TYPE_Q4_K, width, width});
    all.push_back({blk + "ffn_norm.weight", GGML_TYPE_F32, width, 1});
    all.push_back({blk + "ffn_gate.weight", GGML_TYPE_Q4_K, width, inner});
    all.push_back({blk + "ffn_up.weight", GGML_TYPE_Q4_K, width, inner});
    all.push_back({blk + "ffn_down.weight", mixed, inner, width});
  }
  all.push_back({"output_norm.weight", GGML_TYPE_F32, width, 1});
  return all;
}

void set_vocabulary(gguf_context* gguf, uint32_t size) {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(byte_token(byte));
  while (tokens.size() < size - 3) tokens.push_back(fmt::format("word{:06}", tokens.size()));
  tokens.insert(tokens.end(), {"<|endoftext|>", "<|im_start|>", "<|im_end|>"});
  std::vector<int32_t> types(size - 3, 1);       // normal
  types.insert(types.end(), 3, 3);               // control
  std::vector<const char*> texts;
  for (const std::string& token : tokens) texts.push_back(token.c_str());
  const char* merge = "w o";
  gguf_set_val_str(gguf, "tokenizer.ggml.model", "gpt2");
  gguf_set_val_str(gguf, "tokenizer.ggml.pre", "qwen2");
  gguf_set_arr_str(gguf, "tokenizer.ggml.tokens", texts.data(), texts.size());
  gguf_set_arr_data(gguf, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(),
                    types.size());
  gguf_set_arr_str(gguf, "tokenizer.ggml.merges", &merge, 1);
  gguf_set_val_u32(gguf, "tokenizer.ggml.bos_token_id", size - 3);
  gguf_set_val_u32(gguf, "tokenizer.ggml.eos_token_id", size - 1);
  gguf_set_val_bool(gguf, "tokenizer.ggml.add_bos_token", false);
  gguf_set_val_str(gguf, "tokenizer.chat_template", kChatMl);
}

void set_header(gguf_context* gguf, const Shape& shape) {
  gguf_set_val_str(gguf, "general.architecture", "qwen2");
  gguf_set_val_str(gguf, "general.name", shape.name);
  gguf_set_val_u32(gguf, "general.file_type", 15);  // MOSTLY_Q4_K_M
  gguf_set_val_u32(gguf, "general.quantization_version", GGML_QNT_VERSION);
  gguf_set_val_u32(gguf, "qwen2.block_count", shape.layers);
  gguf_set_val_u32(gguf, "qwen2.context_length", shape.context_tokens);
  gguf_set_val_u32(gguf, "qwen2.embedding_length", shape.width);
  gguf_set_val_u32(gguf, "qwen2.feed_forward_length", shape.feed_forward_width);
  gguf_set_val_u32(gguf, "qwen2.attention.head_count", shape.heads);
  gguf_set_val_u32(gguf, "qwen2.attention.head_count_kv", shape.kv_heads);
  gguf_set_val_f32(gguf, "qwen2.attention.layer_norm_rms_epsilon", 1e-6f);
  gguf_set_val_f32(gguf, "qwen2.rope.freq_base", shape.rope_base);
  set_vocabulary(gguf, shape.vocabulary);
}

void describe(gguf_context* gguf, const Tensor& tensor) {
  ggml_tensor described = {};
  described.type = tensor.type;
  described.ne[0] = tensor.columns;
  described.ne[1] = tensor.rows;
  described.ne[2] = described.ne[3] = 1;
  described.nb[0] = ggml_type_size(tensor.type);
  described.nb[1] = ggml_row_size(tensor.type, tensor.columns);
  described.nb[2] = described.nb[3] = tensor.bytes();
  ggml_set_name(&described, tensor.name.c_str());
  gguf_add_tensor(gguf, &described);
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// The header, then tensor after tensor, so that the file never has to fit into memory.
bool write_file(const fs::path& path, gguf_context* gguf, const std::vector<Tensor>& tensors) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "wb"));
  if (!file || !gguf_write_to_file_ptr(gguf, file.get(), /*only_meta=*/true)) return false;
  Random random;
  std::vector<char> bytes;
  const size_t alignment = gguf_get_alignment(gguf);
  for (const Tensor& tensor : tensors) {
    bytes.resize(tensor.bytes());
    fill(bytes, tensor.type, random);
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
    if (std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) return false;
  }
  return std::fflush(file.get()) == 0;
}

}  // namespace

Result<fs::path> write_shape(const Shape& shape, const fs::path& folder) {
  const std::string recipe = fmt::format(
      "{} {} {} {} {} {} {} {} {}", kRecipeVersion, shape.layers, shape.width,
      shape.feed_forward_width, shape.heads, shape.kv_heads, shape.vocabulary,
      shape.context_tokens, shape.rope_base);
  const fs::path path =
      folder / fmt::format("{}-{}.gguf", shape.name, sha256_hex(recipe).substr(0, 12));
  std::error_code problem;
  if (fs::exists(path, problem)) return path;
  fs::create_directories(folder, problem);

  const std::unique_ptr<gguf_context, void (*)(gguf_context*)> gguf(gguf_init_empty(), gguf_free);
  set_header(gguf.get(), shape);
  const std::vector<Tensor> tensors = tensors_of(shape);
  for (const Tensor& tensor : tensors) describe(gguf.get(), tensor);
  PendingFile pending(path);
  errno = 0;
  if (!write_file(pending.path(), gguf.get(), tensors)) {
    return Error{ErrorCode::Io, fmt::format("cannot be written: {}", std::strerror(errno)),
                 path.string(), "it takes up to 2 GB: free some disk space"};
  }
  if (auto placed = pending.commit(); !placed) return placed.error();
  return path;
}

}  // namespace tinyarms::bench
