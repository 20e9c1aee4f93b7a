#include "eval/embedding_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/file.h"
#include "encoder/text_encoder.h"
#include "engine/embedder.h"
#include "eval/retrieval.h"

namespace tinyarms::eval {
namespace {

constexpr size_t kBatch = 64;

std::vector<std::unique_ptr<EmbeddingTask>> make_embedding_tasks() {
  std::vector<std::unique_ptr<EmbeddingTask>> tasks;
  tasks.push_back(make_sts());
  tasks.push_back(make_cosqa());
  tasks.push_back(make_intent());
  tasks.push_back(make_retrieval());
  return tasks;
}

// Batch by batch, so that Ctrl-C is heard and progress is told.
Result<Vectors> embed_all(engine::Embedder& embedder, std::span<const std::string> texts,
                          const StopFlag& stop, const std::function<void(size_t)>& progress) {
  Vectors vectors;
  for (size_t at = 0; at < texts.size(); at += kBatch) {
    if (stop.raised()) return Error{ErrorCode::Interrupted, "stopped", "", ""};
    auto batch = embedder.embed(texts.subspan(at, std::min(kBatch, texts.size() - at)));
    if (!batch) return batch.error();
    for (engine::Embedding& each : *batch) vectors.push_back(std::move(each.values));
    if (progress) progress(vectors.size());
  }
  return vectors;
}

}  // namespace

const std::vector<std::unique_ptr<EmbeddingTask>>& all_embedding_tasks() {
  static const std::vector<std::unique_ptr<EmbeddingTask>> tasks = make_embedding_tasks();
  return tasks;
}

const EmbeddingTask* find_embedding_task(std::string_view name) {
  for (const auto& task : all_embedding_tasks()) {
    if (task->name() == name) return task.get();
  }
  return nullptr;
}

RankFigures rank_figures(size_t rank) {
  const auto within = [&](size_t k) { return rank >= 1 && rank <= k; };
  return {.ndcg10 = within(10) ? 1 / std::log2(1 + static_cast<double>(rank)) : 0,
          .mrr = rank >= 1 ? 1 / static_cast<double>(rank) : 0,
          .recall1 = within(1) ? 1.0 : 0.0,
          .recall5 = within(5) ? 1.0 : 0.0,
          .recall10 = within(10) ? 1.0 : 0.0};
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return sum;
}

Result<std::vector<EmbeddingFigure>> run_embedding_tasks(
    const std::vector<const EmbeddingTask*>& tasks, const EmbeddingRunOptions& options,
    const StopFlag& stop) {
  using Clock = std::chrono::steady_clock;
  auto embedder = encoder::load_text_encoder(
      options.model, {.threads = options.threads, .precision = {}});
  if (!embedder) return embedder.error();
  std::vector<EmbeddingFigure> figures;
  for (const EmbeddingTask* task : tasks) {
    const auto start = Clock::now();
    const EmbedTexts embed = [&](std::span<const std::string> texts) {
      return embed_all(**embedder, texts, stop, [&](size_t count) {
        if (options.progress) options.progress(task->name(), count);
      });
    };
    auto measured = task->measure(options.data, options.limit, embed);
    if (!measured) return measured.error().wrap(task->name());
    std::string lines;
    for (const std::string& line : measured->lines) lines += line + "\n";
    const auto path = options.records / fmt::format("{}.{}.jsonl", options.subject, task->name());
    if (auto written = write_file_atomically(path, lines); !written) return written.error();
    for (EmbeddingFigure& figure : measured->figures) {
      figure.task = task->name();
      figure.subject = options.subject;
      figure.seconds = std::chrono::duration<double>(Clock::now() - start).count();
      figures.push_back(std::move(figure));
    }
  }
  return figures;
}

}  // namespace tinyarms::eval
