// Models with random weights in the exact shape of a real one: the values of weights do not change
// how long kernels take, so speed can be measured without gigabytes of downloads.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"

namespace tinyarms::bench {

struct Shape {
  const char* name;
  uint32_t layers;
  uint32_t width;
  uint32_t feed_forward_width;
  uint32_t heads;
  uint32_t kv_heads;
  uint32_t vocabulary;
  uint32_t context_tokens;
  float rope_base;
};

// Architecture qwen2, embeddings tied to the output; tensor types as llama.cpp's Q4_K_M mixes them
// (Q6_K for the embeddings and, in the layers where it says so, for the values and the way down).
inline constexpr Shape kQwenCoder3B = {"qwen2.5-coder-3b-shape-q4_k_m", 36, 2048, 11008, 16, 2,
                                       151936, 32768, 1e6f};
inline constexpr Shape kSmokeShape = {"qwen2-smoke-shape-q4_k_m", 4, 256, 512, 4, 2, 1024, 2048,
                                      1e6f};

// `folder`/<name>-<hash of the recipe>.gguf, written where it is not there yet. Errors: Io.
Result<std::filesystem::path> write_shape(const Shape& shape,
                                          const std::filesystem::path& folder);

}  // namespace tinyarms::bench
