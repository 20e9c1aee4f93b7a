// Tasks over embeddings: an encoder is measured by figures over all items, not by single answers.
// Their measurements are written whole when a task ends; an interrupted task begins again.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "eval/statistics.h"
#include "eval/summary.h"

namespace tinyarms::eval {

using Vectors = std::vector<std::vector<float>>;

// Unit vectors of texts, one each, of one size. Errors: the encoder's; Interrupted.
using EmbedTexts = std::function<Result<Vectors>(std::span<const std::string>)>;

struct EmbeddingMeasurement {
  std::vector<EmbeddingFigure> figures;  // without subject and seconds
  // A line of numbers an item: {"id", "similarity", …}, JSON text without the newline.
  std::vector<std::string> lines;
};

class EmbeddingTask {
 public:
  virtual ~EmbeddingTask() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view description() const = 0;
  virtual std::string_view caveat() const { return {}; }
  virtual std::vector<std::string> files() const = 0;
  // `limit` 0: all items, else the first ones. Errors: NotFound, Corrupt, those of `embed`.
  virtual Result<EmbeddingMeasurement> measure(const std::filesystem::path& data, size_t limit,
                                               const EmbedTexts& embed) const = 0;
};

std::unique_ptr<EmbeddingTask> make_sts();
std::unique_ptr<EmbeddingTask> make_cosqa();
std::unique_ptr<EmbeddingTask> make_intent();

const std::vector<std::unique_ptr<EmbeddingTask>>& all_embedding_tasks();
const EmbeddingTask* find_embedding_task(std::string_view name);  // null where there is none

// Ranks for one right document a query, from the 1-based rank of each query's document.
struct RankFigures {
  double ndcg10 = 0;  // 1 / log2(1 + rank) where rank ≤ 10: the ideal is 1
  double mrr = 0;
  double recall1 = 0;
  double recall5 = 0;
  double recall10 = 0;
};
RankFigures rank_figures(size_t rank);

double cosine(std::span<const float> a, std::span<const float> b);

// Loads the encoder and measures the tasks; writes each one's lines to
// `<records>/<subject>.<task>.jsonl`.
struct EmbeddingRunOptions {
  std::string subject;
  std::filesystem::path model;
  int threads = 0;
  std::filesystem::path data;
  std::filesystem::path records;
  size_t limit = 0;
  std::function<void(std::string_view task, size_t embedded)> progress = {};
};
Result<std::vector<EmbeddingFigure>> run_embedding_tasks(
    const std::vector<const EmbeddingTask*>& tasks, const EmbeddingRunOptions& options,
    const StopFlag& stop);

}  // namespace tinyarms::eval
