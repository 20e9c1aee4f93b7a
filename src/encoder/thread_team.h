// A fixed set of threads that all run the same function, the caller among them. Waiting spins for
// some microseconds before it sleeps: the steps of one short text are that far apart.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

namespace tinyarms::encoder {

// Where `ranks` threads wait for each other, again and again.
class Barrier {
 public:
  explicit Barrier(int ranks) : ranks_(ranks) {}
  void wait();

 private:
  const int ranks_;
  std::atomic<int> arrived_{0};
  std::atomic<uint32_t> round_{0};
};

// One caller at a time.
class ThreadTeam {
 public:
  // `size` includes the caller. `prepare` runs first on each of the other threads.
  ThreadTeam(int size, std::function<void()> prepare);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return static_cast<int>(threads_.size()) + 1; }

  // Returns when every rank from 0 (the caller) to size() − 1 has returned. `work` does not throw.
  void run(const std::function<void(int rank)>& work);

 private:
  void serve(int rank, const std::function<void()>& prepare);

  const std::function<void(int)>* work_ = nullptr;  // null: leave
  std::atomic<uint32_t> round_{0};
  std::atomic<int> busy_{0};
  std::vector<std::thread> threads_;
};

}  // namespace tinyarms::encoder
