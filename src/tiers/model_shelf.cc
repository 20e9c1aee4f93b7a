#include "tiers/model_shelf.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/file_stamp.h"

namespace tinyarms::tiers {
namespace {

constexpr double kGigabyte = 1e9;

}  // namespace

ModelShelf::ModelShelf(ModelLoader& loader, const Clock& clock, ShelfOptions options)
    : loader_(loader), clock_(clock), options_(std::move(options)) {
  tell_room();
}

// Tells the watcher when the memory is really given back, which may be after the last loan.
std::shared_ptr<LoadedModel> ModelShelf::watched(LoadedModel model, uint64_t id) const {
  if (!options_.watcher) return std::make_shared<LoadedModel>(std::move(model));
  return {new LoadedModel(std::move(model)), [watcher = options_.watcher, id](LoadedModel* gone) {
            delete gone;
            watcher->put_away(id);
          }};
}

ModelShelf::Loan ModelShelf::lend(Place& place, double load_seconds) {
  place.used_at->store(clock_.monotonic_seconds());
  ++place.uses;
  if (options_.watcher) options_.watcher->lent(place.id);
  // A model that is given back counts as used until then.
  std::shared_ptr<const LoadedModel> held(
      place.model.get(), [model = place.model, used_at = place.used_at, &clock = clock_,
                          watcher = options_.watcher, id = place.id](const LoadedModel*) mutable {
        used_at->store(clock.monotonic_seconds());
        model.reset();
        if (watcher) watcher->given_back(id);
      });
  return Loan{.generator = place.model->generator.get(),
              .completions = place.model->completions,
              .weights = place.model->weights.get(),
              .load_seconds = load_seconds,
              .model = std::move(held)};
}

Result<ModelShelf::Loan> ModelShelf::take(const std::filesystem::path& file,
                                          uint32_t context_tokens) {
  Lock lock(mutex_);
  drop_idle();
  Wanted wanted{.file = file, .context_tokens = context_tokens};
  while (true) {
    if (Place* known = find(wanted)) return lend(*known, 0);
    if (loads_in_background(wanted)) {
      await_background(lock);
      continue;
    }
    auto needed = loader_.bytes_needed(file, context_tokens);
    if (!needed) return needed.error();
    wanted.bytes = *needed;
    auto room = make_room(lock, wanted);
    if (!room) return room.error();
    if (*room) break;
  }
  const double start = clock_.monotonic_seconds();
  auto model = loader_.load(file, context_tokens);
  if (!model) return model.error();
  return shelve(wanted, std::move(*model), clock_.monotonic_seconds() - start);
}

Result<std::unique_ptr<ModelShelf::Spare>> ModelShelf::take_spare(
    const std::filesystem::path& file, uint32_t context_tokens, StopFlag& stop) {
  std::unique_ptr<Spare> spare;  // goes after the lock, which its end takes
  Lock lock(mutex_);
  if (background_) {
    return Error{ErrorCode::Unavailable, "another model is held in the background", file.string(),
                 ""};
  }
  drop_idle();
  Wanted wanted{.file = file, .context_tokens = context_tokens};
  Place* known = find(wanted);
  if (known == nullptr) {
    auto needed = loader_.bytes_needed(file, context_tokens);
    if (!needed) return needed.error();
    wanted.bytes = *needed;
    if (sum_of_bytes() + wanted.bytes > options_.budget_bytes) {
      return Error{ErrorCode::OverBudget, "does not fit beside what is in memory", file.string(),
                   "raise memory_budget"};
    }
  }
  spare.reset(new Spare(*this));  // whose end gives the place free, however this function ends
  background_ = Background{.file = file,
                           .context_tokens = context_tokens,
                           .bytes = wanted.bytes,
                           .stop = &stop,
                           .loading = known == nullptr,
                           .number = ++last_background_};
  tell_room();
  if (known != nullptr) {
    spare->loan_ = lend(*known, 0);
    return Result<std::unique_ptr<Spare>>(std::move(spare));
  }
  lock.unlock();
  const double start = clock_.monotonic_seconds();
  auto model = loader_.load_unless(stop, file, context_tokens);
  if (!model) return model.error();
  lock.lock();
  background_->bytes = 0;
  background_->loading = false;
  spare->loan_ = shelve(wanted, std::move(*model), clock_.monotonic_seconds() - start);
  changed_.notify_all();
  return Result<std::unique_ptr<Spare>>(std::move(spare));
}

ModelShelf::Spare::~Spare() {
  loan_ = {};
  {
    const std::lock_guard lock(shelf_.mutex_);
    shelf_.background_.reset();
    shelf_.tell_room();
  }
  shelf_.changed_.notify_all();
}

Result<std::unique_ptr<ShelfGuest>> ModelShelf::admit(const ShelvedModel& model) {
  Lock lock(mutex_);
  drop_idle();
  const Wanted wanted{
      .file = model.file, .context_tokens = model.context_tokens, .bytes = model.bytes};
  while (true) {
    auto room = make_room(lock, wanted);
    if (!room) return room.error();
    if (*room) break;
  }
  guest_bytes_ += model.bytes;
  return std::make_unique<ShelfGuest>(options_.watcher, ++last_id_,
                                      [this, bytes = model.bytes] {
                                        const std::lock_guard leaving(mutex_);
                                        guest_bytes_ -= bytes;
                                        tell_room();
                                      });
}

// The place of that model. Whoever uses an old file's model goes on with it; the next one gets the
// new file's.
ModelShelf::Place* ModelShelf::find(Wanted& wanted) {
  wanted.stamp = file_stamp(wanted.file);
  // A model that is mapped does not mind that its file is gone.
  const bool there = wanted.stamp != kStampOfNoFile;
  std::erase_if(shelf_, [&](const Place& place) {
    return there && place.file == wanted.file && place.stamp != wanted.stamp;
  });
  const auto known = std::find_if(shelf_.begin(), shelf_.end(), [&](const Place& place) {
    return place.file == wanted.file && place.context_tokens == wanted.context_tokens;
  });
  if (known == shelf_.end()) return nullptr;
  shelf_.splice(shelf_.begin(), shelf_, known);
  return &shelf_.front();
}

bool ModelShelf::loads_in_background(const Wanted& wanted) const {
  return background_ && background_->loading && background_->file == wanted.file &&
         background_->context_tokens == wanted.context_tokens;
}

// Until what loads has loaded, and what was told to stop is gone.
void ModelShelf::await_background(Lock& lock) {
  const uint64_t number = background_->number;
  changed_.wait(lock, [&] {
    if (!background_ || background_->number != number) return true;
    return !background_->loading && !background_->stop->raised();
  });
}

// Puts away what has to go. False where it let go of the lock meanwhile: then look again.
Result<bool> ModelShelf::make_room(Lock& lock, const Wanted& wanted) {
  const auto gigabytes = [](uint64_t bytes) { return static_cast<double>(bytes) / kGigabyte; };
  const auto over = [&](const std::string& because, const std::string& hint) {
    return Error{ErrorCode::OverBudget,
                 fmt::format("needs {:.2f} GB with a context of {} tokens, {}",
                             gigabytes(wanted.bytes), wanted.context_tokens, because),
                 wanted.file.string(), hint};
  };
  if (wanted.bytes > options_.budget_bytes) {
    return over(fmt::format("the memory budget is {:.2f} GB", gigabytes(options_.budget_bytes)),
                "raise memory_budget, shorten the tier's context, choose a smaller model, or (at "
                "l3) set escalation.speculate and escalation.lookup to \"off\"");
  }
  uint64_t fixed = wanted.bytes + guest_bytes_ + (background_ ? background_->bytes : 0);
  for (const Place& place : shelf_) fixed += keeps(place) || place.in_use() ? place.bytes : 0;
  if (fixed > options_.budget_bytes) {
    if (background_) {
      background_->stop->raise();
      await_background(lock);
      return false;
    }
    return over(fmt::format("of the memory budget of {:.2f} GB models that are in use or pinned "
                            "hold {:.2f} GB",
                            gigabytes(options_.budget_bytes), gigabytes(fixed - wanted.bytes)),
                "try again later, raise memory_budget, or pin less");
  }
  while (sum_of_bytes() + wanted.bytes > options_.budget_bytes) shelf_.erase(least_worth());
  tell_room(wanted.bytes);
  return true;
}

void ModelShelf::tell_room(uint64_t coming) const {
  const uint64_t taken = std::min(sum_of_bytes() + coming, options_.budget_bytes);
  if (options_.on_room) options_.on_room(options_.budget_bytes - taken);
}

ModelShelf::Loan ModelShelf::shelve(const Wanted& wanted, LoadedModel model,
                                    double load_seconds) {
  const uint64_t id = ++last_id_;
  if (options_.watcher) {
    options_.watcher->loaded(id, {.file = wanted.file,
                                  .context_tokens = wanted.context_tokens,
                                  .bytes = wanted.bytes,
                                  .load_seconds = load_seconds,
                                  .kept = options_.kept.contains(wanted.file)});
  }
  const double now = clock_.monotonic_seconds();
  shelf_.push_front({.file = wanted.file,
                     .context_tokens = wanted.context_tokens,
                     .bytes = wanted.bytes,
                     .stamp = wanted.stamp,
                     .load_seconds = load_seconds,
                     .loaded_at = now,
                     .used_at = std::make_shared<std::atomic<double>>(now),
                     .uses = 0,
                     .id = id,
                     .model = watched(std::move(model), id)});
  return lend(shelf_.front(), load_seconds);
}

// Idle time for each second that loading it again would take; where nothing tells them apart, the
// least recently used. There is one: what is in use and pinned was counted before.
std::list<ModelShelf::Place>::iterator ModelShelf::least_worth() {
  const double now = clock_.monotonic_seconds();
  auto worst = shelf_.end();
  double most = -1;
  for (auto place = shelf_.begin(); place != shelf_.end(); ++place) {
    if (keeps(*place) || place->in_use()) continue;
    const double idle = (now - place->used_at->load()) / std::max(place->load_seconds, 0.05);
    if (idle < most) continue;
    most = idle;
    worst = place;
  }
  return worst;
}

void ModelShelf::drop_idle() {
  if (!options_.idle_seconds) return;
  const double now = clock_.monotonic_seconds();
  const size_t gone = std::erase_if(shelf_, [&](const Place& place) {
    const bool idle = !place.in_use() && now - place.used_at->load() >= *options_.idle_seconds;
    return idle && !keeps(place);
  });
  if (gone > 0) tell_room();
}

void ModelShelf::put_away_idle() {
  const std::lock_guard lock(mutex_);
  drop_idle();
  tell_room();
  if (options_.watcher) options_.watcher->swept();
}

uint64_t ModelShelf::sum_of_bytes() const {
  const uint64_t elsewhere = guest_bytes_ + (background_ ? background_->bytes : 0);
  return std::accumulate(shelf_.begin(), shelf_.end(), elsewhere,
                         [](uint64_t sum, const Place& place) { return sum + place.bytes; });
}

uint64_t ModelShelf::bytes_resident() const {
  const std::lock_guard lock(mutex_);
  return sum_of_bytes();
}

size_t ModelShelf::models_resident() const {
  const std::lock_guard lock(mutex_);
  return shelf_.size();
}

std::vector<Resident> ModelShelf::residents() const {
  const std::lock_guard lock(mutex_);
  const double now = clock_.monotonic_seconds();
  std::vector<Resident> residents;
  for (const Place& place : shelf_) {
    residents.push_back({.file = place.file,
                         .context_tokens = place.context_tokens,
                         .bytes = place.bytes,
                         .load_seconds = place.load_seconds,
                         .resident_seconds = now - place.loaded_at,
                         .idle_seconds = now - place.used_at->load(),
                         .uses = place.uses,
                         .in_use = place.in_use(),
                         .kept = keeps(place)});
  }
  return residents;
}

}  // namespace tinyarms::tiers
