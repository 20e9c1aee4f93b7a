// Puts models away that nobody has used for a while, also where nobody asks for one any more.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "tiers/model_shelf.h"

namespace tinyarms::tiers {

// Has a thread of its own, which ends with it. The shelf outlives it.
class IdleSweeper {
 public:
  // Looks often enough that a model stays at most an eighth longer than `idle_seconds`, > 0.
  IdleSweeper(ModelShelf& shelf, double idle_seconds);
  ~IdleSweeper();
  IdleSweeper(const IdleSweeper&) = delete;
  IdleSweeper& operator=(const IdleSweeper&) = delete;

 private:
  void sweep(double seconds_between);

  ModelShelf& shelf_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tinyarms::tiers
