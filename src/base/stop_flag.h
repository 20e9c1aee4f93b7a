// A request to stop, raised from anywhere (a signal handler too) and polled once per token.
#pragma once

#include <atomic>

namespace tinyarms {

class StopFlag {
 public:
  void raise() noexcept { raised_.store(true, std::memory_order_relaxed); }
  void lower() noexcept { raised_.store(false, std::memory_order_relaxed); }
  bool raised() const noexcept { return raised_.load(std::memory_order_relaxed); }

 private:
  static_assert(std::atomic<bool>::is_always_lock_free, "raised from signal handlers");
  std::atomic<bool> raised_{false};
};

}  // namespace tinyarms
