#include "mcp/errands.h"

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
  std::deque<std::function<void()>> dropped;  // they may tell their clients: not under the lock
  const std::lock_guard lock(mutex_);
  dropped.swap(waiting_);
}

bool Errands::submit(std::function<void()> run) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= queue_max_) return false;
    waiting_.push_back(std::move(run));
  }
  ready_.notify_one();
  return true;
}

void Errands::work() {
  while (true) {
    std::function<void()> run;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      run = std::move(waiting_.front());
      waiting_.pop_front();
    }
    run();
  }
}

}  // namespace tinyarms::mcp
