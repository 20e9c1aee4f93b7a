// A safetensors file: a JSON table of named tensors, then their bytes. Read by mapping; nothing in
// the table is believed before it is checked against the file.
// Format: https://github.com/huggingface/safetensors (README, "Format").
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/file_fault.h"
#include "engine/mapped_file.h"

namespace tinyarms::engine {

class Safetensors {
 public:
  struct Tensor {
    std::string type;  // "F32", "BF16", …
    std::vector<uint64_t> shape;
    std::string_view bytes;
    uint64_t elements = 0;
  };

  // Errors: NotFound, Io, Corrupt (table, names twice, offsets, shapes that do not fit their bytes,
  // overlaps, bytes of no tensor), Unsupported (a type that this code does not know). `fault`,
  // where it is wanted, gets the kind of damage and its place.
  static Result<Safetensors> open(const std::filesystem::path& path, FileFault* fault = nullptr);

  // Nothing where there is no such tensor.
  const Tensor* find(std::string_view name) const;
  const std::map<std::string, Tensor, std::less<>>& tensors() const { return tensors_; }

 private:
  explicit Safetensors(MappedFile file) : file_(std::move(file)) {}

  MappedFile file_;  // the tensors' bytes point into it
  std::map<std::string, Tensor, std::less<>> tensors_;
};

// F32, F16, BF16 → single precision. Errors: Unsupported (another type), Corrupt (not finite);
// `name` is for the message.
Result<std::vector<float>> to_floats(const Safetensors::Tensor& tensor, std::string_view name);

}  // namespace tinyarms::engine
