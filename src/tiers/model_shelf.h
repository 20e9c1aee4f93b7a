// The models in memory: loaded when first asked for, kept for the next question, put away when a
// new one would not fit the memory budget (what is idle longest for what it costs to load again
// goes first), when they were idle for too long, or when their file is another one now.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/stop_flag.h"
#include "tiers/model_loader.h"
#include "tiers/shelf_guest.h"
#include "tiers/shelf_watcher.h"

namespace tinyarms::tiers {

struct ShelfOptions {
  uint64_t budget_bytes = 0;            // of everything on the shelf together
  std::optional<double> idle_seconds{}; // put away after so long without use; nothing: never
  std::set<std::filesystem::path> kept{};  // never put away for another model, nor for idleness
  std::shared_ptr<ShelfWatcher> watcher{};  // may be null
  // Told what the budget leaves beside the models and guests: whenever that has changed, before
  // what takes it is loaded, and when idle models are looked for. Called with the shelf's mutex
  // held; may be empty.
  std::function<void(uint64_t bytes)> on_room{};
};

// Thread-safe: one mutex is over everything here; loaders run under it, but for take_spare()'s.
// A model is loaded by one thread while the others wait. The clock outlives the loans.
class ModelShelf {
 public:
  ModelShelf(ModelLoader& loader, const Clock& clock, ShelfOptions options);
  ModelShelf(ModelLoader& loader, const Clock& clock, uint64_t budget_bytes)
      : ModelShelf(loader, clock, ShelfOptions{.budget_bytes = budget_bytes}) {}

  struct Loan {
    engine::Generator* generator = nullptr;
    engine::CompletionEngine* completions = nullptr;
    const engine::LanguageModel* weights = nullptr;  // null where the loader has none (tests)
    double load_seconds = 0;  // 0 where it was in memory already
    std::shared_ptr<const LoadedModel> model{};  // while this lives, so do the three above
  };

  // Errors: OverBudget, before anything is put away or mapped, where the model alone exceeds the
  // budget, or what is in use and pinned leaves too little; else the loader's.
  Result<Loan> take(const std::filesystem::path& file, uint32_t context_tokens);

  // A loan for work that nobody waits for. `stop` is raised where a take() needs its memory, and
  // it is to be let go then, as soon as may be.
  class Spare {
   public:
    ~Spare();
    const Loan& loan() const { return loan_; }

   private:
    friend class ModelShelf;
    explicit Spare(ModelShelf& shelf) : shelf_(shelf) {}
    ModelShelf& shelf_;
    Loan loan_;
  };

  // At most one at a time, and only where the model is here or fits beside all that is: nothing is
  // put away for it. While it loads, other models can be taken; who takes this one waits for it.
  // `stop` outlives it and ends the loading too. Errors: Unavailable (there is one already),
  // OverBudget, Interrupted; else the loader's.
  Result<std::unique_ptr<Spare>> take_spare(const std::filesystem::path& file,
                                            uint32_t context_tokens, StopFlag& stop);

  // Room for a model that somebody else loads, set aside as long as the guest lives: language
  // models are put away for it. Errors: OverBudget, as take() has it.
  Result<std::unique_ptr<ShelfGuest>> admit(const ShelvedModel& model);

  // Puts away what has been idle for too long; take() does so too.
  void put_away_idle();

  uint64_t bytes_resident() const;  // guests and what is loading included
  size_t models_resident() const;
  std::vector<Resident> residents() const;  // most recently used first

 private:
  struct Place {
    std::filesystem::path file;
    uint32_t context_tokens = 0;
    uint64_t bytes = 0;
    std::string stamp;  // of the file when it was loaded
    double load_seconds = 0;
    double loaded_at = 0;
    std::shared_ptr<std::atomic<double>> used_at;  // last taken or given back; loans hold it too
    uint64_t uses = 0;
    uint64_t id = 0;  // as the watcher knows it
    std::shared_ptr<LoadedModel> model;
    bool in_use() const { return model.use_count() > 1; }
  };

  // A Spare, while there is one.
  struct Background {
    std::filesystem::path file;
    uint32_t context_tokens = 0;
    uint64_t bytes = 0;  // set aside while it loads
    StopFlag* stop = nullptr;
    bool loading = false;
    uint64_t number = 0;  // tells it from the next
  };
  struct Wanted {
    std::filesystem::path file;
    uint32_t context_tokens = 0;
    std::string stamp = {};  // of the file
    uint64_t bytes = 0;
  };
  using Lock = std::unique_lock<std::mutex>;

  Place* find(Wanted& wanted);
  bool loads_in_background(const Wanted& wanted) const;
  void await_background(Lock& lock);
  Result<bool> make_room(Lock& lock, const Wanted& wanted);
  Loan shelve(const Wanted& wanted, LoadedModel model, double load_seconds);
  Loan lend(Place& place, double load_seconds);
  std::shared_ptr<LoadedModel> watched(LoadedModel model, uint64_t id) const;
  bool keeps(const Place& place) const { return options_.kept.contains(place.file); }
  void drop_idle();
  void tell_room(uint64_t coming = 0) const;
  uint64_t sum_of_bytes() const;
  std::list<Place>::iterator least_worth();

  ModelLoader& loader_;
  const Clock& clock_;
  ShelfOptions options_;
  mutable std::mutex mutex_;
  std::list<Place> shelf_;  // most recently used first
  uint64_t last_id_ = 0;
  uint64_t guest_bytes_ = 0;
  std::condition_variable changed_;  // of background_
  std::optional<Background> background_;
  uint64_t last_background_ = 0;
};

}  // namespace tinyarms::tiers
