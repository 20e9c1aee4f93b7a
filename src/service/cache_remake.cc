#include "service/cache_remake.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/descriptor.h"
#include "base/file_lock.h"
#include "service/user_files.h"

namespace tinyarms::service {
namespace {

constexpr size_t kRemakeBatch = 64;
constexpr std::chrono::milliseconds kRemakeLook{100};  // between two looks at the stop flag

bool there_is_a_cache(const Paths& paths) {
  std::error_code problem;
  return std::filesystem::exists(answer_cache_path(paths), problem);
}

// Held while the descriptor is open.
Result<std::unique_ptr<Descriptor>> lock_remaking(const CacheRemaking& remaking) {
  std::filesystem::path path = answer_cache_path(remaking.paths);
  path += ".remake";
  auto file =
      std::make_unique<Descriptor>(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file->get() < 0) {
    return Error{ErrorCode::Io, fmt::format("cannot be opened: {}", std::strerror(errno)),
                 path.string(), "check the folder's permissions"};
  }
  bool told = false;
  while (!lock_file(file->get(), kRemakeLook)) {
    if (errno != EWOULDBLOCK) {
      return Error{ErrorCode::Io, fmt::format("cannot be locked: {}", std::strerror(errno)),
                   path.string(), ""};
    }
    if (remaking.stop.raised()) {
      return Error{ErrorCode::Interrupted, "stopped while another process was at it", "", ""};
    }
    if (!told && remaking.on_wait) remaking.on_wait();
    told = true;
  }
  return Result<std::unique_ptr<Descriptor>>(std::move(file));
}

// A text whose head alone was embedded has no vector that speaks for it.
std::vector<std::vector<float>> whole_ones(std::vector<engine::Embedding>& embeddings,
                                           CacheRemakeReport& report) {
  std::vector<std::vector<float>> vectors;
  for (engine::Embedding& embedding : embeddings) {
    const bool cut = embedding.truncated || embedding.parts > 1;
    report.too_long += cut ? 1 : 0;
    vectors.push_back(cut ? std::vector<float>() : std::move(embedding.values));
  }
  return vectors;
}

}  // namespace

Result<size_t> cache_vectors_missing(const storage::CacheEncoder& encoder, const Paths& paths,
                                     const Clock& clock) {
  if (!there_is_a_cache(paths)) return size_t{0};
  auto opened = storage::Database::open(answer_cache_path(paths), clock);
  if (!opened) return opened.error();
  storage::AnswerCache cache(*opened->database, clock);
  auto stats = cache.vector_stats(encoder.id);
  if (!stats) return stats.error();
  return stats->without;
}

Result<CacheRemakeReport> remake_cache_vectors(engine::Embedder& embedder,
                                               const storage::CacheEncoder& encoder,
                                               const CacheRemaking& remaking) {
  CacheRemakeReport report;
  if (!there_is_a_cache(remaking.paths)) return report;
  auto lock = lock_remaking(remaking);
  if (!lock) return lock.error();
  auto opened = storage::Database::open(answer_cache_path(remaking.paths), remaking.clock);
  if (!opened) return opened.error();
  storage::AnswerCache cache(*opened->database, remaking.clock);
  auto before = cache.vector_stats(encoder.id);
  if (!before) return before.error();
  auto serving = cache.serving_encoder(encoder.id);
  if (!serving) return serving.error();
  const double started = remaking.clock.monotonic_seconds();
  int64_t last = 0;
  while (!remaking.stop.raised()) {
    auto some = cache.without_vector(encoder.id, last, kRemakeBatch);
    if (!some) return some.error();
    if (some->empty()) break;
    last = some->back().id;
    std::vector<int64_t> ids;
    std::vector<std::string> texts;
    for (storage::Unembedded& entry : *some) {
      ids.push_back(entry.id);
      texts.push_back(std::move(entry.question));
    }
    auto embeddings = embedder.embed(texts);
    if (!embeddings) return embeddings.error();
    auto added = cache.add_vectors(encoder.id, ids, whole_ones(*embeddings, report));
    if (!added) return added.error();
    report.made += ids.size();
    if (!remaking.progress) continue;
    const double seconds = std::max(remaking.clock.monotonic_seconds() - started, 1e-3);
    const double rate = static_cast<double>(report.made) / seconds;
    const size_t left = before->without > report.made ? before->without - report.made : 0;
    remaking.progress({.done = report.made,
                       .all = std::max(before->without, report.made),
                       .per_second = rate,
                       .seconds_left = static_cast<double>(left) / rate});
  }
  report.interrupted = remaking.stop.raised();
  const bool other = *serving && (*serving)->id != encoder.id;
  if (!report.interrupted && (other || report.made > 0)) {
    report.begins_to_serve = other;
    if (auto serves = cache.let_serve(encoder); !serves) return serves.error();
  }
  report.seconds = remaking.clock.monotonic_seconds() - started;
  return report;
}

}  // namespace tinyarms::service
