// How well passages answer a query, by a model that reads both together: the port, and its adapter
// for any model that libllama pools into a rank. The other adapters are those of the room encoder/,
// which also chooses between them, and engine/yes_no_reranker.h.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"

namespace tinyarms::engine {

struct PassageScore {
  double score = 0;        // higher is better; its scale is the model's own
  bool truncated = false;  // query and passage together are longer than the model's window
};

// One caller at a time.
class Reranker {
 public:
  // `threads` 0: every core. Errors: as LanguageModel::load; Unsupported for a model that does not
  // pool into one score.
  static Result<std::unique_ptr<Reranker>> load(const std::filesystem::path& path, int threads);
  virtual ~Reranker() = default;

  virtual std::string_view backend() const = 0;  // what computes it, for people

  // One score a passage, in their order. Polls `stop` between passes. Errors: InvalidArgument (a
  // text that is not UTF-8), Interrupted, Corrupt (a score is not a number), Internal (memory).
  virtual Result<std::vector<PassageScore>> score(const std::string& query,
                                                  std::span<const std::string> passages,
                                                  const StopFlag& stop) = 0;
};

// Tokens that are left of a pair so that together they are at most `room`: the longer one is cut
// first (the published tokenizers' "longest_first").
struct PairLengths {
  size_t query = 0;
  size_t passage = 0;
};
PairLengths fit_pair(PairLengths lengths, size_t room);

}  // namespace tinyarms::engine
