// A model that something else than a ModelShelf loads and keeps, an encoder or a reranker, but that
// counts in the shelf's memory budget and is shown with its models.
#pragma once

#include <functional>
#include <memory>

#include "tiers/shelf_watcher.h"

namespace tinyarms::tiers {

// Made by ModelShelf::admit(), whose shelf outlives it. Thread-safe.
class ShelfGuest {
 public:
  ShelfGuest(std::shared_ptr<ShelfWatcher> watcher, uint64_t id, std::function<void()> leave)
      : watcher_(std::move(watcher)), id_(id), leave_(std::move(leave)) {}
  // To be let go after the model itself.
  ~ShelfGuest() {
    leave_();
    if (watcher_) watcher_->put_away(id_);
  }
  ShelfGuest(const ShelfGuest&) = delete;
  ShelfGuest& operator=(const ShelfGuest&) = delete;

  // It is in memory; from here on it is shown.
  void loaded(const ShelvedModel& model) const {
    if (watcher_) watcher_->loaded(id_, model);
  }
  // It was asked for something.
  void used() const {
    if (watcher_) watcher_->used(id_);
  }

 private:
  std::shared_ptr<ShelfWatcher> watcher_;  // may be null
  uint64_t id_;
  std::function<void()> leave_;
};

}  // namespace tinyarms::tiers
