#include "engine/scheduler/core_budget.h"

#include <algorithm>

#include "engine/llama_backend.h"

namespace tinyarms::engine {

CoreBudget::CoreBudget(int cores) : cores_(resolve_threads(cores)), free_(cores_) {}

CoreBudget::Share CoreBudget::take(bool background) {
  std::unique_lock lock(mutex_);
  const unsigned long ticket = next_ticket_++;
  changed_.wait(lock, [&] { return serving_ == ticket && free_ > 0; });
  ++serving_;
  const auto waiting = static_cast<int>(next_ticket_ - serving_);
  const int sharers = holders_ + 1 + waiting;
  const int most = background ? std::max(1, cores_ / 2) : cores_;
  const int threads = std::clamp((cores_ + sharers - 1) / sharers, 1, std::min(free_, most));
  free_ -= threads;
  ++holders_;
  changed_.notify_all();  // the next in line may find a core left
  return Share(*this, threads);
}

void CoreBudget::give_back(int threads) {
  {
    const std::lock_guard lock(mutex_);
    free_ += threads;
    --holders_;
  }
  changed_.notify_all();
}

}  // namespace tinyarms::engine
