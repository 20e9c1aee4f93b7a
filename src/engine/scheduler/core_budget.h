// The cores of this machine, shared by several models: each takes a share for one pass, so that two
// models at work have half each instead of all threads twice.
#pragma once

#include <condition_variable>
#include <mutex>

namespace tinyarms::engine {

// Thread-safe; outlives its shares.
class CoreBudget {
 public:
  explicit CoreBudget(int cores);  // 0: every core

  class Share {
   public:
    Share(CoreBudget& budget, int threads) : budget_(&budget), threads_(threads) {}
    ~Share() { budget_->give_back(threads_); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    int threads() const { return threads_; }

   private:
    CoreBudget* budget_;
    int threads_;
  };

  // Waits, first come first served, until a core is free; never more than an equal part where
  // others are at work or waiting. In the background never more than half, however few are at work
  // now: who computes a token at a time gives its cores back for a moment after each.
  Share take(bool background = false);

  int cores() const { return cores_; }

 private:
  void give_back(int threads);

  const int cores_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int free_;
  int holders_ = 0;
  unsigned long next_ticket_ = 0;
  unsigned long serving_ = 0;
};

}  // namespace tinyarms::engine
