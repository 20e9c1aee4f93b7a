// The head of a GGUF file, read without trusting a byte of it: magic, version, key-value pairs and
// the list of tensors. ggml's own reader allocates what the file asks for and libllama asserts on
// much of what is inside, so every file passes here before either sees it.
// Format: the GGUF specification (docs/gguf.md of ggml-org/ggml), versions 2 and 3.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "engine/file_fault.h"

namespace tinyarms::engine {

struct GgufTensor {
  std::string name;
  std::array<uint64_t, 4> shape = {1, 1, 1, 1};  // innermost first
  int dimensions = 0;
  int type = 0;         // ggml_type, known to this build
  uint64_t offset = 0;  // from the beginning of the file
  uint64_t bytes = 0;
  uint64_t elements() const { return shape[0] * shape[1] * shape[2] * shape[3]; }
};

// An array's elements are kept where they are integers and few (per-layer settings); texts stay in
// the file's bytes.
struct GgufArray {
  int element_type = 0;  // gguf_type
  uint64_t count = 0;
  std::vector<uint64_t> integers;
  std::string_view raw;  // the elements as they lie in the bytes that were parsed

  // The elements, where they are texts; views into the parsed bytes.
  std::vector<std::string_view> texts() const;
};

class GgufHeader {
 public:
  using Value = std::variant<uint64_t, int64_t, double, bool, std::string, GgufArray>;

  // `bytes` is the whole file, `place` names it in errors. Errors: Corrupt (not GGUF, truncated,
  // sizes that contradict the file's, tensors that overlap or lie outside; `what` says which),
  // Unsupported (a GGUF version or tensor type that this build does not know). `fault`, where it
  // is wanted, gets the kind of damage and its place, which the error tells in words.
  static Result<GgufHeader> parse(std::string_view bytes, const std::filesystem::path& place,
                                  FileFault* fault = nullptr);

  // The value where it is there and of that kind, else nothing. `integer` takes every unsigned
  // type and non-negative signed ones.
  std::optional<uint64_t> integer(std::string_view key) const;
  std::optional<double> real(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  std::optional<bool> flag(std::string_view key) const;
  const GgufArray* array(std::string_view key) const;

  const std::vector<GgufTensor>& tensors() const { return tensors_; }
  const GgufTensor* tensor(std::string_view name) const;
  // Key, type and value of each pair as they lie in the parsed bytes, in order.
  struct RawPair {
    std::string key;
    std::string_view bytes;
  };
  const std::vector<RawPair>& raw_pairs() const { return raw_pairs_; }
  size_t pairs() const { return values_.size(); }
  uint64_t alignment() const { return alignment_; }

 private:
  friend class GgufParser;
  const Value* find(std::string_view key) const;

  std::map<std::string, Value, std::less<>> values_;
  std::vector<GgufTensor> tensors_;
  std::vector<RawPair> raw_pairs_;
  uint64_t alignment_ = 32;
};

}  // namespace tinyarms::engine
