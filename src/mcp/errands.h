// Threads of its own for what blocks: files, scans, databases. A bounded queue that refuses when it
// is full.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/stop_flag.h"

namespace tinyarms::mcp {

class Errands {
 public:
  Errands(size_t threads, size_t queue_max);
  ~Errands();
  Errands(const Errands&) = delete;
  Errands& operator=(const Errands&) = delete;

  // Waits for what runs, drops what waits; nothing is taken from then on.
  void close();

  // `stop` raised before its turn: nobody waits for it any more, and it is dropped. False where the
  // queue is full or closed; nothing was taken then. Any thread.
  bool submit(std::shared_ptr<const StopFlag> stop, std::function<void()> run);

 private:
  struct Errand {
    std::shared_ptr<const StopFlag> stop;
    std::function<void()> run;
  };
  void work();

  size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Errand> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tinyarms::mcp
