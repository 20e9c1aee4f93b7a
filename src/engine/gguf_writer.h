// Writes a GGUF file: key-value pairs and tensors in memory, then all at once into place.
#pragma once

#include <ggml.h>
#include <gguf.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace tinyarms::engine {

class GgufWriter {
 public:
  GgufWriter();
  ~GgufWriter();
  GgufWriter(const GgufWriter&) = delete;
  GgufWriter& operator=(const GgufWriter&) = delete;

  void set(const char* key, const std::string& value);
  void set(const char* key, const char* value);
  void set(const char* key, uint32_t value);
  void set(const char* key, float value);
  void set(const char* key, bool value);
  void set(const char* key, const std::vector<std::string>& values);
  void set(const char* key, const std::vector<int32_t>& values);

  // `bytes` is the tensor's data in that type; `shape` innermost first; the name is new and short
  // (ggml asserts that).
  struct Tensor {
    std::string name;
    ggml_type type = GGML_TYPE_F32;
    std::vector<int64_t> shape;
    std::vector<char> bytes;
  };
  void add(Tensor tensor);

  // Whole or not at all. Errors: Io.
  Result<void> write(const std::filesystem::path& destination) const;

 private:
  gguf_context* gguf_;
  std::vector<std::unique_ptr<Tensor>> tensors_;  // their addresses must stay
};

}  // namespace tinyarms::engine
