// What a GGUF file says of itself, read without loading a weight.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace tinyarms::engine {

struct ModelFacts {
  std::filesystem::path path;
  std::string architecture;  // "llama", "qwen2", "bert", …
  std::string name;          // general.name, else the file's stem
  std::string quantization;  // "Q4_1", "F32", …: general.file_type, else the commonest tensor type
  std::string licence;       // general.license, may be empty
  uint64_t file_bytes = 0;
  uint64_t weight_bytes = 0;
  // Of the weights, those in types that ggml rearranges in memory for the CPU's vector units.
  uint64_t rearranged_bytes = 0;
  uint64_t parameters = 0;
  uint32_t layers = 0;
  uint32_t embedding_width = 0;
  uint32_t feed_forward_width = 0;
  uint32_t heads = 0;
  uint32_t kv_heads = 0;
  uint32_t key_width = 0;    // per head
  uint32_t value_width = 0;  // per head
  uint32_t context_tokens = 0;  // what it was trained for; an encoder's window
  uint32_t vocabulary = 0;
  bool encoder = false;  // an embedding model or a reranker (BERT family), not a generator
  bool reranker = false;  // pools its outputs into a score of a pair of texts (a cross-encoder)
};

// The key under which an imported encoder records its window where that is shorter than its table
// of positions (sentence-transformers' max_seq_length).
inline constexpr const char* kWindowKey = "tinyarms.window_tokens";

// Also checks that every tensor lies inside the file. Where a setting differs between layers, the
// largest counts. Errors: NotFound, Io, Corrupt (not GGUF, truncated, absurd sizes; `what` says
// which), Unsupported (a GGUF version or tensor type that this build does not know).
Result<ModelFacts> inspect_model(const std::filesystem::path& path);

class GgufHeader;
// The same of a header that was read already. Errors: Corrupt (names no architecture).
Result<ModelFacts> facts_of(const GgufHeader& header, const std::filesystem::path& path,
                            uint64_t file_bytes);

}  // namespace tinyarms::engine
