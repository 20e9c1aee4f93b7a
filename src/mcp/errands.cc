#include "mcp/errands.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tinyarms::mcp {

Errands::Errands(size_t threads, size_t queue_max) : queue_max_(queue_max) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Errands::~Errands() { close(); }

void Errands::close() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  std::deque<Errand> dropped;  // they may tell their clients: not under the lock
  const std::lock_guard lock(mutex_);
  dropped.swap(waiting_);
}

bool Errands::submit(std::shared_ptr<const StopFlag> stop, std::function<void()> run) {
  std::deque<Errand> dropped;  // not under the lock either
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= queue_max_) {
      // Whoever has gone makes room.
      const auto gone = std::stable_partition(
          waiting_.begin(), waiting_.end(), [](const Errand& one) { return !one.stop->raised(); });
      std::move(gone, waiting_.end(), std::back_inserter(dropped));
      waiting_.erase(gone, waiting_.end());
    }
    if (stopping_ || waiting_.size() >= queue_max_) return false;
    waiting_.push_back({std::move(stop), std::move(run)});
  }
  ready_.notify_one();
  return true;
}

void Errands::work() {
  while (true) {
    Errand errand;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      errand = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (!errand.stop->raised()) errand.run();
  }
}

}  // namespace tinyarms::mcp
