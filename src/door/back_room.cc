#include "door/back_room.h"

#include <utility>

namespace tinyarms::door {

BackRoom::~BackRoom() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool BackRoom::submit(std::function<void()> errand) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= queue_max_) return false;
    waiting_.push_back(std::move(errand));
    if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  }
  ready_.notify_one();
  return true;
}

void BackRoom::work() {
  while (true) {
    std::function<void()> errand;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      errand = std::move(waiting_.front());
      waiting_.pop_front();
    }
    errand();
  }
}

}  // namespace tinyarms::door
