// Importance matrix: the mean square of each column of what a weight matrix is multiplied with,
// over a text. The quantiser rounds with an eye on the columns that matter.
// Format of the file: llama.cpp's GGUF imatrix (tensors "<weight>.in_sum2" and "<weight>.counts"),
// so that files go both ways.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "engine/language_model.h"

namespace tinyarms::engine {

struct ImportanceMatrix {
  // By the weight's name: mean squares, one a column.
  std::map<std::string, std::vector<float>> columns;
  uint32_t chunks = 0;
  uint32_t chunk_tokens = 0;
};

struct ImportanceOptions {
  uint32_t chunk_tokens = 512;
  size_t chunks_max = 0;  // 0: the whole text
  int threads = 0;
  std::function<void(size_t done, size_t count)> progress = {};
};

// Errors: those of measure_likelihood; Unsupported for models with experts.
Result<ImportanceMatrix> measure_importance(const LanguageModel& model, std::string_view text,
                                            const ImportanceOptions& options,
                                            const StopFlag& stop);

// Errors: Io.
Result<void> write_importance(const ImportanceMatrix& matrix,
                              const std::filesystem::path& destination);

// Errors: NotFound, Io, Corrupt (not such a file, counts or values that cannot be).
Result<ImportanceMatrix> read_importance(const std::filesystem::path& path);

}  // namespace tinyarms::engine
