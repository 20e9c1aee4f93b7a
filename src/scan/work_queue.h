// Work for several threads: each takes its own newest item first and steals the oldest of another
// when it has none. Work may make more work; run() ends when none is left.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace tinyarms::scan {

template <typename Item>
class WorkQueue {
 public:
  explicit WorkQueue(unsigned threads) : queues_(threads == 0 ? 1 : threads) {}

  // Thread-safe; `worker` is whose queue it goes to.
  void push(unsigned worker, Item item) {
    open_.fetch_add(1);
    {
      const std::lock_guard lock(queues_[worker].mutex);
      queues_[worker].items.push_back(std::move(item));
    }
    if (sleepers_.load() > 0) wake_one();
  }

  // Calls work(worker, item) for everything that was and will be pushed, the caller's thread being
  // worker 0.
  template <typename Work>
  void run(const Work& work) {
    std::vector<std::thread> threads;
    for (unsigned worker = 1; worker < queues_.size(); ++worker) {
      threads.emplace_back([this, &work, worker] { serve(worker, work); });
    }
    serve(0, work);
    for (std::thread& thread : threads) thread.join();
  }

 private:
  struct Queue {
    std::mutex mutex;
    std::deque<Item> items;
  };

  template <typename Work>
  void serve(unsigned worker, const Work& work) {
    while (std::optional<Item> item = next(worker)) {
      work(worker, *item);
      if (open_.fetch_sub(1) == 1) wake_all();
    }
  }

  std::optional<Item> next(unsigned worker) {
    for (;;) {
      if (auto item = take(worker)) return item;
      std::unique_lock lock(sleep_mutex_);
      sleepers_.fetch_add(1);
      // What was pushed before this thread counted as a sleeper was announced to nobody.
      auto item = take(worker);
      if (!item && open_.load() > 0) wake_.wait(lock);
      sleepers_.fetch_sub(1);
      if (item) return item;
      if (open_.load() == 0) return std::nullopt;
    }
  }

  std::optional<Item> take(unsigned worker) {
    for (size_t offset = 0; offset < queues_.size(); ++offset) {
      Queue& queue = queues_[(worker + offset) % queues_.size()];
      const std::lock_guard lock(queue.mutex);
      if (queue.items.empty()) continue;
      std::optional<Item> item;
      if (offset == 0) {
        item = std::move(queue.items.back());
        queue.items.pop_back();
      } else {
        item = std::move(queue.items.front());
        queue.items.pop_front();
      }
      return item;
    }
    return std::nullopt;
  }

  void wake_one() {
    const std::lock_guard lock(sleep_mutex_);
    wake_.notify_one();
  }
  void wake_all() {
    const std::lock_guard lock(sleep_mutex_);
    wake_.notify_all();
  }

  std::vector<Queue> queues_;
  std::atomic<size_t> open_{0};  // pushed and not finished
  std::atomic<unsigned> sleepers_{0};
  std::mutex sleep_mutex_;
  std::condition_variable wake_;
};

}  // namespace tinyarms::scan
