// Vectors of remembered questions for another encoder, made from the questions that the cache has
// (decision 0130). What serves does until all are there; whoever stops it loses one batch.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/paths.h"
#include "base/result.h"
#include "base/stop_flag.h"
#include "engine/embedder.h"
#include "storage/answer_cache.h"

namespace tinyarms::service {

struct CacheRemakeProgress {
  size_t done = 0;
  size_t all = 0;
  double per_second = 0;
  double seconds_left = 0;
};

struct CacheRemakeReport {
  size_t made = 0;      // by this run
  size_t too_long = 0;  // of them: found by the same words only
  bool interrupted = false;
  bool begins_to_serve = false;  // another encoder's were compared until now
  double seconds = 0;
};

struct CacheRemaking {
  const Paths& paths;
  const Clock& clock;
  const StopFlag& stop;
  std::function<void(const CacheRemakeProgress&)> progress = {};
  std::function<void()> on_wait = {};  // another process is at it
};

// What is missing for that encoder; where there is no cache, nothing. Errors: those of the
// database, of the embedder; Io; Interrupted while waiting.
Result<size_t> cache_vectors_missing(const storage::CacheEncoder& encoder, const Paths& paths,
                                     const Clock& clock);
Result<CacheRemakeReport> remake_cache_vectors(engine::Embedder& embedder,
                                               const storage::CacheEncoder& encoder,
                                               const CacheRemaking& remaking);

}  // namespace tinyarms::service
