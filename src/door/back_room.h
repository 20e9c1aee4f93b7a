// One thread for what reads the disk on behalf of the page, so that no thread of a connection ever
// waits for it. Bounded: full, it refuses.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tinyarms::door {

class BackRoom {
 public:
  explicit BackRoom(size_t queue_max) : queue_max_(queue_max) {}
  ~BackRoom();  // what waits is dropped
  BackRoom(const BackRoom&) = delete;
  BackRoom& operator=(const BackRoom&) = delete;

  // False where the queue is full; nothing was taken then. Any thread. The thread starts with the
  // first errand.
  bool submit(std::function<void()> errand);

 private:
  void work();

  const size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tinyarms::door
