#include "encoder/thread_team.h"

#include <utility>

namespace tinyarms::encoder {
namespace {

constexpr int kSpins = 4000;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Until `value` is no longer `old`.
template <typename Value>
void await_change(const std::atomic<Value>& value, Value old) {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    relax();
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

void Barrier::wait() {
  const uint32_t round = round_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == ranks_) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    return;
  }
  await_change(round_, round);
}

ThreadTeam::ThreadTeam(int size, std::function<void()> prepare) {
  for (int rank = 1; rank < size; ++rank) {
    threads_.emplace_back([this, rank, prepare] { serve(rank, prepare); });
  }
}

ThreadTeam::~ThreadTeam() {
  work_ = nullptr;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadTeam::run(const std::function<void(int rank)>& work) {
  work_ = &work;
  busy_.store(size() - 1, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  work(0);
  for (int busy = busy_.load(std::memory_order_acquire); busy != 0;
       busy = busy_.load(std::memory_order_acquire)) {
    await_change(busy_, busy);
  }
}

void ThreadTeam::serve(int rank, const std::function<void()>& prepare) {
  prepare();
  for (uint32_t round = 0;; ++round) {
    await_change(round_, round);
    if (work_ == nullptr) return;
    (*work_)(rank);
    busy_.fetch_sub(1, std::memory_order_release);
    busy_.notify_all();
  }
}

}  // namespace tinyarms::encoder
