#include "tiers/idle_sweeper.h"

#include <algorithm>
#include <chrono>

namespace tinyarms::tiers {

IdleSweeper::IdleSweeper(ModelShelf& shelf, double idle_seconds)
    : shelf_(shelf),
      thread_([this, between = std::clamp(idle_seconds / 8, 0.01, 60.0)] { sweep(between); }) {}

IdleSweeper::~IdleSweeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void IdleSweeper::sweep(double seconds_between) {
  const std::chrono::duration<double> between(seconds_between);
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, between, [this] { return stopping_; })) {
    lock.unlock();
    shelf_.put_away_idle();
    lock.lock();
  }
}

}  // namespace tinyarms::tiers
