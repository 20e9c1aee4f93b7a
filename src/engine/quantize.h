// Requantises a generative GGUF with libllama's quantiser.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::engine {

std::vector<std::string> quantization_names();  // "q2_k", "q4_k_m", "q8_0", …

struct QuantizeReport {
  uint64_t bytes_before = 0;
  uint64_t bytes_after = 0;
  int fallback_tensors = 0;  // stored in another type because their width does not divide
};

// Whole or not at all. Errors: NotFound, Corrupt, InvalidArgument (unknown type; the nearest known
// one is named), Io.
Result<QuantizeReport> quantize(const std::filesystem::path& source,
                                const std::filesystem::path& destination, std::string_view type,
                                int threads);

}  // namespace tinyarms::engine
