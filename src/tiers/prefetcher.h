// Computes prompts ahead: brings a model into memory where it fits beside what is there, and lets
// its scheduler compute a prompt in the background, so that whoever asks for that prompt next finds
// it in the prefix tree. What fails here says so in a report; the request itself never notices.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "cascade/headstart.h"
#include "tiers/model_shelf.h"

namespace tinyarms::tiers {

// Thread-safe. The shelf and the clock outlive it; what it began may outlive it too, and is
// cancelled then.
//
// Locks: `mutex_` is over `work_` and `thread_` and is taken by begin() and the destructor alone. A
// Work has its own over its report, under which nothing else is locked; its stop flag is atomic.
// The worker holds neither while it loads, computes or waits.
class Prefetcher {
 public:
  struct Job {
    std::filesystem::path file{};
    uint32_t context_tokens = 0;
    // Puts the prompt to the model, in the background; called on a thread of its own. `stop` is
    // raised to cancel it.
    std::function<Result<std::unique_ptr<engine::CompletionStream>>(
        engine::CompletionEngine&, const StopFlag& stop)>
        submit{};
  };

  Prefetcher(ModelShelf& shelf, const Clock& clock) : shelf_(shelf), clock_(clock) {}
  ~Prefetcher();
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;

  // Returns at once; null where it is at work on another, one at a time in all.
  std::unique_ptr<cascade::Headstart> begin(Job job);

 private:
  class Work;
  class Handle;
  void run(Work& work);

  ModelShelf& shelf_;
  const Clock& clock_;
  std::mutex mutex_;
  std::shared_ptr<Work> work_;  // the newest; null before the first
  std::thread thread_;          // that works on it, or has
};

}  // namespace tinyarms::tiers
