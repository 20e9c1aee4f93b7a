#include "tracing/exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "tracing/otlp_json.h"

namespace tinyarms::tracing {
namespace {

constexpr size_t kBatchBytesMax = 4 << 20;  // of notes; collectors take 20 MiB of JSON
constexpr double kRetryAfterMax = 300;      // a longer wait is not believed

std::chrono::duration<double> seconds_of(double seconds) {
  return std::chrono::duration<double>(seconds);
}

bool is_for_now(int status) {
  return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
}

bool is_taken(int status) { return status >= 200 && status < 300; }

}  // namespace

Exporter::Exporter(Courier courier, ExportTerms terms, SpanTerms spans, Resource resource)
    : courier_(std::move(courier)),
      terms_(terms),
      span_terms_(std::move(spans)),
      resource_(std::move(resource)) {}

Exporter::~Exporter() { finish(); }

void Exporter::add(ClimbNote note) {
  const size_t spans = note.spans();
  const size_t bytes = note.bytes();
  {
    const std::lock_guard lock(mutex_);
    const bool full = queued_spans_ + spans > terms_.queue_spans_max ||
                      queued_bytes_ + bytes > terms_.queue_bytes_max;
    if (ending_ || full) {
      (ending_ ? counts_.dropped_at_end : counts_.dropped_full) += spans;
      return;
    }
    queued_spans_ += spans;
    queued_bytes_ += bytes;
    queue_.push_back(std::move(note));
    if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
    // It sleeps through what does not fill a batch.
    if (queue_.size() > 1 && queued_spans_ < terms_.batch_spans_max) return;
  }
  changed_.notify_all();
}

void Exporter::finish() {
  {
    std::unique_lock lock(mutex_);
    ending_ = true;
    changed_.notify_all();
    if (!thread_.joinable()) return;
    changed_.wait_for(lock, seconds_of(terms_.flush_seconds), [this] { return done_; });
  }
  stop_.raise();
  thread_.join();
}

ExportCounts Exporter::counts() const {
  const std::lock_guard lock(mutex_);
  ExportCounts counts = counts_;
  counts.waiting = queued_spans_ + on_their_way_;
  return counts;
}

std::string Exporter::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void Exporter::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    changed_.wait_for(lock, seconds_of(terms_.delay_seconds), [this] {
      return ending_ || queued_spans_ >= terms_.batch_spans_max;
    });
    if (queue_.empty()) break;
    const Batch batch = take_batch(lock);
    const bool last_try = ending_;
    lock.unlock();
    deliver(batch, last_try);
    lock.lock();
  }
  done_ = true;
  changed_.notify_all();
}

Exporter::Batch Exporter::take_batch(std::unique_lock<std::mutex>& lock) {
  std::vector<ClimbNote> notes;
  size_t spans = 0;
  size_t bytes = 0;
  while (!queue_.empty()) {
    const ClimbNote& next = queue_.front();
    const size_t more = next.bytes();
    const bool full =
        spans + next.spans() > terms_.batch_spans_max || bytes + more > kBatchBytesMax;
    if (full && !notes.empty()) break;
    spans += next.spans();
    bytes += more;
    notes.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  // What is under way is in nobody's way: there is room for others from now on.
  queued_spans_ -= spans;
  queued_bytes_ -= bytes;
  on_their_way_ = spans;
  lock.unlock();
  std::vector<Span> all;
  for (const ClimbNote& note : notes) {
    for (Span& span : spans_of(note, span_terms_)) all.push_back(std::move(span));
  }
  Batch batch{otlp_json(all, resource_), all.size()};
  lock.lock();
  return batch;
}

void Exporter::deliver(const Batch& batch, bool last_try) {
  for (int tries = 1; !stop_.raised(); ++tries) {
    const Delivery delivery = courier_(batch.body, stop_);
    if (settle_reply(delivery, batch)) return;
    if (stop_.raised()) break;
    if (!is_for_now(delivery.status) || tries >= terms_.tries_max) {
      return drop(counts_.dropped_undelivered, batch);
    }
    if (last_try) break;
    last_try = !wait_to_try_again(delivery, tries);
    if (last_try && delivery.retry_after_seconds > 0) break;  // it said not now
  }
  drop(counts_.dropped_at_end, batch);
}

// Whether the collector took it.
bool Exporter::settle_reply(const Delivery& delivery, const Batch& batch) {
  const bool taken = is_taken(delivery.status);
  const uint64_t rejected =
      taken ? std::min<uint64_t>(rejected_spans(delivery.reply), batch.spans) : 0;
  const std::lock_guard lock(mutex_);
  ++counts_.tries;
  if (!taken) {
    ++counts_.failed_tries;
    problem_ = delivery.status == 0 ? delivery.problem : fmt::format("HTTP {}", delivery.status);
    return false;
  }
  on_their_way_ = 0;
  counts_.sent += batch.spans - rejected;
  counts_.rejected += rejected;
  problem_ = rejected > 0 ? fmt::format("the collector rejected {} spans", rejected) : "";
  return true;
}

// False where the process ends meanwhile.
bool Exporter::wait_to_try_again(const Delivery& failed, int tries) {
  const double seconds =
      failed.retry_after_seconds > 0
          ? std::min(failed.retry_after_seconds, kRetryAfterMax)
          : remote::full_jitter(terms_.backoff, tries - 1, remote::fair_chance());
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, seconds_of(seconds), [this] { return ending_; });
}

void Exporter::drop(uint64_t& count, const Batch& batch) {
  const std::lock_guard lock(mutex_);
  on_their_way_ = 0;
  count += batch.spans;
}

}  // namespace tinyarms::tracing
