// How fast a model ran and what it took, measured: it holds for the very file, the build of the
// engine, the threads and the processor, and is of no worth where one of them is another. One file
// a model, `<SHA-256>.json`, whose loss costs a measurement and nothing else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"

namespace tinyarms::catalog {

struct MeasuredOn {
  std::string model_sha256{};
  std::string engine{};     // its build, in words
  std::string processor{};  // its name
  int threads = 0;          // never 0

  bool operator==(const MeasuredOn&) const = default;
};

// Rates are a second; 0: does not apply.
struct MeasuredSpeed {
  MeasuredOn on{};
  std::string model{};  // its name then, for people
  double at = 0;        // seconds since 1970 UTC
  double load_seconds = 0;            // the file was in the system's cache
  uint64_t memory_bytes = 0;          // the most that it added to this process
  double prompt_tokens_rate = 0;      // of a generator: read
  double answer_tokens_rate = 0;      // written
  int prompt_tokens = 0;              // lengths that the two were measured at
  int answer_tokens = 0;
  double texts_rate = 0;              // of an encoder: texts; of a reranker: pairs
  double text_tokens_rate = 0;        // of an encoder
  std::optional<double> watts{};      // of the processor meanwhile, where it can be read

  bool generates() const { return answer_tokens_rate > 0; }
};

// Any thread, any number of processes: of two that keep figures of one model at once, the later
// file stands.
class MeasuredStore {
 public:
  explicit MeasuredStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Nothing where it was not measured like this, or the file is no good.
  std::optional<MeasuredSpeed> find(const MeasuredOn& on) const;

  // In the place of older figures of the same; the oldest of others go where they are many.
  // Errors: InvalidArgument (no SHA-256, or figures that are no numbers), Io.
  Result<void> keep(const MeasuredSpeed& speed) const;

 private:
  std::filesystem::path file_of(const std::string& sha256) const;

  std::filesystem::path folder_;
};

}  // namespace tinyarms::catalog
