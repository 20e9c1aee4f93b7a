// Sends climbs to a collector as spans, from a thread of its own, many at a time. No answer waits
// for it: what finds the queue full, or cannot be delivered, is dropped and counted.
//
// What a collector refuses for now (429, 502, 503, 504, or no reply at all) is sent again, after
// the time that it asks for or else exponential backoff with jitter; what it refuses for good is
// dropped (opentelemetry-proto, docs/specification.md, "OTLP/HTTP Response").
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/stop_flag.h"
#include "remote/retry.h"
#include "tracing/climb_spans.h"

namespace tinyarms::tracing {

// What came of one request to the collector.
struct Delivery {
  int status = 0;                  // of HTTP; 0: there was no reply
  double retry_after_seconds = 0;  // as it asks; 0: it does not
  std::string reply = {};
  std::string problem = {};        // where there was none: why, without a secret in it
};

// Posts a body; ends early where the flag is raised. Called by one thread at a time.
using Courier = std::function<Delivery(const std::string& body, const StopFlag& stop)>;

struct ExportTerms {
  size_t queue_spans_max = 2048;
  size_t queue_bytes_max = 16 << 20;
  size_t batch_spans_max = 512;
  double delay_seconds = 5;  // that a climb waits for others to go with it
  double flush_seconds = 2;  // that the end of the process waits
  int tries_max = 8;         // of one batch
  remote::Backoff backoff = {.first_seconds = 1, .max_seconds = 30};
};

// Of spans, but for the last two.
struct ExportCounts {
  uint64_t sent = 0;
  uint64_t dropped_full = 0;         // the queue had no room
  uint64_t dropped_undelivered = 0;  // after all tries, or refused for good
  uint64_t dropped_at_end = 0;       // the process ended first
  uint64_t rejected = 0;             // the collector took the request, and not these
  uint64_t waiting = 0;              // in the queue, or on their way
  uint64_t tries = 0;                // requests
  uint64_t failed_tries = 0;
};

class Exporter {
 public:
  Exporter(Courier courier, ExportTerms terms, SpanTerms spans, Resource resource);
  // Sends what waits, each batch once, for at most flush_seconds.
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  // Any thread; never blocks on the collector. The thread begins with the first of them.
  void add(ClimbNote note);

  // What the destructor does, to see what came of it. Nothing is taken after it.
  void finish();

  ExportCounts counts() const;
  std::string problem() const;  // why the last try failed; empty: it did not

 private:
  struct Batch {
    std::string body;
    uint64_t spans = 0;
  };

  void work();
  Batch take_batch(std::unique_lock<std::mutex>& lock);
  void deliver(const Batch& batch, bool last_try);
  bool wait_to_try_again(const Delivery& failed, int tries);
  void drop(uint64_t& count, const Batch& batch);
  bool settle_reply(const Delivery& delivery, const Batch& batch);

  const Courier courier_;
  const ExportTerms terms_;
  const SpanTerms span_terms_;
  const Resource resource_;
  StopFlag stop_;  // ends a request under way
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ClimbNote> queue_;
  size_t queued_spans_ = 0;
  size_t queued_bytes_ = 0;
  uint64_t on_their_way_ = 0;
  ExportCounts counts_;
  std::string problem_;
  bool ending_ = false;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace tinyarms::tracing
