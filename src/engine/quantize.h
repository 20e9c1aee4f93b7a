// Requantises a GGUF with libllama's quantiser: generators and encoders alike.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/imatrix.h"

namespace tinyarms::engine {

std::vector<std::string> quantization_names();  // "q2_k", "q4_k_m", "q8_0", …, smallest first

struct QuantizeOptions {
  std::string type = {};  // one of quantization_names(), in any case
  int threads = 0;        // 0: every core
  const ImportanceMatrix* importance = nullptr;  // may be null
  // Called a few times a second, on another thread, with the bytes written so far; may be empty.
  std::function<void(uint64_t bytes)> progress = {};
};

struct QuantizeReport {
  uint64_t bytes_before = 0;
  uint64_t bytes_after = 0;
  int fallback_tensors = 0;  // stored in another type because their width does not divide
};

// Whole or not at all. Errors: NotFound, Corrupt, InvalidArgument (unknown type: the nearest known
// one is named; an importance matrix of another model), Io (a full disk too, with what it lacks).
Result<QuantizeReport> quantize(const std::filesystem::path& source,
                                const std::filesystem::path& destination,
                                const QuantizeOptions& options);

}  // namespace tinyarms::engine
