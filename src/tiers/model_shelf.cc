#include "tiers/model_shelf.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <numeric>

#include "engine/drafting_generator.h"
#include "engine/scheduler/scheduled_generator.h"

namespace tinyarms::tiers {
namespace {

constexpr uint32_t kBatchTokens = 512;
constexpr uint32_t kGuessesMax = 32;  // of a draft, in one pass: docs/escalation.md
constexpr double kGigabyte = 1e9;
// Answered requests whose tokens stay in memory; libllama keeps a row of logits for each.
constexpr uint32_t kKeptSequences = 8;

// What tells a file from another of the same name; empty where there is none any more, which a
// model that is mapped does not mind.
std::string identity_of(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return {};
  return fmt::format("{} {} {} {}.{}", status.st_dev, status.st_ino, status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

uint32_t clipped(const engine::ModelFacts& facts, uint32_t context_tokens) {
  return facts.context_tokens == 0 ? context_tokens
                                   : std::min(context_tokens, facts.context_tokens);
}

}  // namespace

engine::MemoryPlan plan_generator(const engine::ModelFacts& facts, uint32_t context_tokens,
                                  uint32_t parallel) {
  engine::ModelFacts all = facts;  // each request's context is clipped, not their sum
  all.context_tokens = clipped(facts, context_tokens) * parallel;
  engine::MemoryPlan plan = engine::plan_memory(all, all.context_tokens, kBatchTokens);
  plan.compute_bytes += uint64_t(kKeptSequences + parallel) * facts.vocabulary * sizeof(float);
  return plan;
}

Result<uint64_t> EngineLoader::bytes_needed(const std::filesystem::path& file,
                                            uint32_t context_tokens) {
  auto facts = engine::inspect_model(file);
  if (!facts) return facts.error();
  const uint64_t serving = plan_generator(*facts, context_tokens, parallel_).total();
  if (file != verifier_) return serving;
  const engine::MemoryPlan drafts =
      engine::plan_memory(*facts, context_tokens, kBatchTokens, kGuessesMax);
  return serving + drafts.kv_bytes + drafts.compute_bytes;
}

Result<LoadedModel> EngineLoader::load(const std::filesystem::path& file,
                                       uint32_t context_tokens) {
  auto weights = engine::LanguageModel::load(file);
  if (!weights) return weights.error();
  const uint32_t tokens = clipped((*weights)->facts(), context_tokens);
  auto scheduler =
      engine::Scheduler::create(**weights, cores_, {.context_tokens = context_tokens,
                                                    .parallel = parallel_,
                                                    .kv_tokens = tokens * parallel_,
                                                    .batch_tokens = kBatchTokens,
                                                    .kept_sequences = kKeptSequences});
  if (!scheduler) return scheduler.error();
  engine::CompletionEngine* completions = scheduler->get();
  std::string vocabulary = (*weights)->vocabulary_fingerprint();
  std::unique_ptr<engine::Generator> generator = std::make_unique<engine::ScheduledGenerator>(
      std::move(*scheduler), vocabulary);
  if (file == verifier_ && (*weights)->can_rewind()) {
    generator = std::make_unique<engine::DraftingGenerator>(
        std::move(generator), **weights,
        engine::GeneratorOptions{.context_tokens = context_tokens,
                                 .batch_tokens = kBatchTokens,
                                 .threads = cores_.cores(),
                                 .cores = &cores_,
                                 .guesses_max = kGuessesMax});
  }
  return LoadedModel{std::move(*weights), std::move(generator), completions,
                     std::move(vocabulary)};
}

ModelShelf::ModelShelf(ModelLoader& loader, const Clock& clock, ShelfOptions options)
    : loader_(loader), clock_(clock), options_(std::move(options)) {}

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
  const std::lock_guard lock(mutex_);
  drop_idle();
  const std::string identity = identity_of(file);
  // Whoever uses the old file's model goes on with it; the next one gets the new file's.
  std::erase_if(shelf_, [&](const Place& place) {
    return place.file == file && !identity.empty() && place.identity != identity;
  });
  const auto known = std::find_if(shelf_.begin(), shelf_.end(), [&](const Place& place) {
    return place.file == file && place.context_tokens == context_tokens;
  });
  if (known != shelf_.end()) {
    shelf_.splice(shelf_.begin(), shelf_, known);
    return lend(shelf_.front(), 0);
  }

  auto needed = loader_.bytes_needed(file, context_tokens);
  if (!needed) return needed.error();
  const auto over = [&](const std::string& because, const std::string& hint) {
    return Error{ErrorCode::OverBudget,
                 fmt::format("needs {:.2f} GB with a context of {} tokens, {}",
                             static_cast<double>(*needed) / kGigabyte, context_tokens, because),
                 file.string(), hint};
  };
  const double budget = static_cast<double>(options_.budget_bytes) / kGigabyte;
  if (*needed > options_.budget_bytes) {
    return over(fmt::format("the memory budget is {:.2f} GB", budget),
                "raise memory_budget, shorten the tier's context, choose a smaller model, or (at "
                "l3) set escalation.speculate and escalation.lookup to \"off\"");
  }
  uint64_t fixed = *needed;
  for (const Place& place : shelf_) fixed += keeps(place) || place.in_use() ? place.bytes : 0;
  if (fixed > options_.budget_bytes) {
    return over(fmt::format("of the memory budget of {:.2f} GB models that are in use or pinned "
                            "hold {:.2f} GB",
                            budget, static_cast<double>(fixed - *needed) / kGigabyte),
                "try again later, raise memory_budget, or pin less");
  }
  while (sum_of_bytes() + *needed > options_.budget_bytes) shelf_.erase(least_worth());

  const double start = clock_.monotonic_seconds();
  auto model = loader_.load(file, context_tokens);
  if (!model) return model.error();
  const double now = clock_.monotonic_seconds();
  const uint64_t id = ++last_id_;
  if (options_.watcher) {
    options_.watcher->loaded(id, {.file = file,
                                  .context_tokens = context_tokens,
                                  .bytes = *needed,
                                  .load_seconds = now - start,
                                  .kept = options_.kept.contains(file)});
  }
  shelf_.push_front({.file = file,
                     .context_tokens = context_tokens,
                     .bytes = *needed,
                     .identity = identity,
                     .load_seconds = now - start,
                     .loaded_at = now,
                     .used_at = std::make_shared<std::atomic<double>>(now),
                     .uses = 0,
                     .id = id,
                     .model = watched(std::move(*model), id)});
  return lend(shelf_.front(), now - start);
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
  std::erase_if(shelf_, [&](const Place& place) {
    const bool idle = !place.in_use() && now - place.used_at->load() >= *options_.idle_seconds;
    return idle && !keeps(place);
  });
}

void ModelShelf::put_away_idle() {
  const std::lock_guard lock(mutex_);
  drop_idle();
}

uint64_t ModelShelf::sum_of_bytes() const {
  return std::accumulate(shelf_.begin(), shelf_.end(), uint64_t{0},
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
