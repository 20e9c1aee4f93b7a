#include "engine/scheduler/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "base/sha256.h"
#include "engine/engine_info.h"
#include "engine/length_alike.h"
#include "engine/llama_backend.h"
#include "engine/scheduler/batch_planner.h"
#include "engine/scheduler/model_context.h"
#include "engine/scheduler/prefix_snapshots.h"
#include "engine/scheduler/prepared_request.h"
#include "engine/scheduler/prompt_pace.h"

namespace tinyarms::engine {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Requests = std::list<std::unique_ptr<RunningRequest>>;

constexpr uint32_t kSequencesMax = 64;
constexpr int kPassedOverMax = 8;        // then a request of a batch goes first
constexpr size_t kSharedPrefixMin = 32;  // worth waiting for while another request computes it
constexpr std::chrono::milliseconds kSnapshotPoll(2);  // where there is nothing else to do

class LlamaScheduler final : public Scheduler {
 public:
  LlamaScheduler(const LanguageModel& model, SchedulerOptions options)
      : model_(model),
        vocabulary_(llama_model_get_vocab(model.handle())),
        chat_(ChatTemplate::of(model.handle(), model.facts().path)),
        options_(std::move(options)) {}

  ~LlamaScheduler() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> open(CoreBudget& cores) {
    options_.parallel = std::clamp(options_.parallel, 1u, kSequencesMax);
    options_.context_tokens =
        std::clamp(options_.context_tokens, 1u, model_.facts().context_tokens);
    auto context = ModelContext::create(
        model_, cores,
        {.cells = std::max(options_.kv_tokens, options_.context_tokens),
         .batch_tokens = options_.batch_tokens,
         .running = options_.parallel,
         .kept = options_.kept_sequences},
        options_.decode);
    if (!context) return context.error();
    context_ = std::move(*context);
    memory_ = context_->memory_taken();
    open_snapshots();
    counters_.kv = context_->kv().counters();
    std::string piece;
    for (llama_token token = 0; token < llama_vocab_n_tokens(vocabulary_); ++token) {
      piece.clear();
      append_piece(vocabulary_, token, piece);
      longest_piece_ = std::max(longest_piece_, piece.size());
    }
    thread_ = std::thread([this] { loop(); });
    return {};
  }

  Result<std::unique_ptr<CompletionStream>> submit(CompletionRequest request) override {
    const auto submitted = SteadyClock::now();
    {
      // Before the work of turning it into tokens.
      const std::lock_guard lock(mutex_);
      if (full()) return refuse();
    }
    auto prepared = prepare_request(std::move(request), limits());
    if (!prepared) return prepared.error();
    auto channel = std::make_shared<CompletionChannel>();
    auto running = std::make_unique<RunningRequest>(std::move(*prepared), channel, vocabulary_,
                                                    options_.context_tokens, submitted);
    {
      const std::lock_guard lock(mutex_);
      if (full()) return refuse();
      waiting_.push_back(std::move(running));
      ++counters_.submitted;
      counters_.waiting = waiting_.size();
    }
    changed_.notify_all();
    return std::make_unique<CompletionStream>(std::move(channel));
  }

  Result<int> count_tokens(const CompletionRequest& request) override {
    auto prompt = prompt_of(request, limits());
    if (!prompt) return prompt.error();
    return static_cast<int>(prompt->size());
  }

  SchedulerCounters counters() const override {
    const std::lock_guard lock(mutex_);
    return counters_;
  }

  MemoryPlan memory_taken() const override { return memory_; }

 private:
  // Another build, another model or another set-up: other bytes.
  void open_snapshots() {
    const SnapshotPlaces& places = options_.snapshots;
    const bool usable = context_->kv().sharing() && options_.kept_sequences > 0;
    if (places.memory == nullptr || !usable) return;
    PrefixSnapshots::Bindings bindings;
    if (!options_.model_stamp.empty()) {
      bindings.memory = options_.model_stamp + "\n" + context_->numerics();
    }
    if (places.disk != nullptr && !options_.model_hash.empty()) {
      const EngineInfo engine = engine_info();
      bindings.disk = sha256_hex(
          fmt::format("{}\n{}\n{}\n{}\n{}", engine.ggml_version, engine.ggml_commit,
                      engine.features, options_.model_hash, context_->numerics()));
    }
    snapshots_ = std::make_unique<PrefixSnapshots>(places, std::move(bindings),
                                                   context_->handle(), context_->kv(),
                                                   model_.facts().path.stem().string());
  }

  RequestLimits limits() const {
    return {.vocabulary = vocabulary_,
            .chat = &chat_,
            .context_tokens = options_.context_tokens,
            .longest_piece = longest_piece_,
            .place = model_.facts().path.string()};
  }

  // What only waits for idle time takes nobody's place.
  bool full() const {
    const auto queued = std::count_if(waiting_.begin(), waiting_.end(), [](const auto& request) {
      return request->priority() != Priority::Background;
    });
    return static_cast<size_t>(queued) >= options_.queue_max;
  }

  Error refuse() {
    ++counters_.refused;
    return Error{ErrorCode::Unavailable,
                 fmt::format("overloaded: {} requests are waiting already", waiting_.size()),
                 model_.facts().path.string(), "try again in a moment"};
  }

  // The thread that owns the context.
  void loop() {
    while (true) {
      if (snapshots_) snapshots_->collect();
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stopping_ || !waiting_.empty() || !running_.empty(); });
        if (running_.empty()) await_company(lock);
        if (stopping_) return end_all();
        end_unwanted(waiting_);
        end_unwanted(running_);
        admit(lock);
        note_counters();
        if (running_.empty() && !waiting_.empty()) changed_.wait_for(lock, kSnapshotPoll);
      }
      if (!running_.empty()) compute();
    }
  }

  // Who asks in the same moment is computed in the same pass, and not in pieces while the first
  // one writes. That is worth a hundredth of what the pass takes.
  void await_company(std::unique_lock<std::mutex>& lock) {
    size_t tokens = 0;
    for (const auto& request : waiting_) {
      if (request->priority() == Priority::Background) continue;
      tokens += request->tokens().size() - context_->kv().held(request->scope(), request->tokens());
    }
    changed_.wait_for(lock, pace_.patience(tokens), [this] { return stopping_; });
  }

  void end_all() {
    if (snapshots_) {
      for (const auto& request : running_) context_->kv().keep(request->sequence);
      snapshots_->save_all_kept();
    }
    for (Requests* requests : {&waiting_, &running_}) {
      for (auto& request : *requests) request->end_unwanted();
      requests->clear();
    }
  }

  void end_unwanted(Requests& requests) {
    std::erase_if(requests, [this](const auto& request) {
      if (!request->unwanted()) return false;
      const bool written = request->tokens().size() > request->prompt_tokens();
      ++(written ? counters_.answered : counters_.failed);
      if (request->sequence >= 0) context_->kv().keep(request->sequence);
      request->end_unwanted();
      return true;
    });
  }

  void note_counters() {
    counters_.waiting = waiting_.size();
    counters_.running = running_.size();
    counters_.kv = context_->kv().counters();
  }

  // Interactive requests first, in the order they came; one of a batch that was passed over often
  // enough before them. In the background only where there is nobody else. The lock is let go
  // while memory is copied: others only add to the queue's end.
  void admit(std::unique_lock<std::mutex>& lock) {
    waiting_.sort([](const auto& a, const auto& b) { return rank(*a) < rank(*b); });
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      RunningRequest& request = **it;
      if (!room_for(request)) break;
      if (shared_prefix_comes(request)) {
        ++it;
        continue;
      }
      lock.unlock();
      const bool awaits_file = snapshots_ && snapshots_->bring(request);
      const auto opened = awaits_file
                              ? std::nullopt
                              : context_->kv().open(request.scope(), request.tokens(),
                                                    request.length_max());
      if (opened && snapshots_) snapshots_->send_away_idle();
      lock.lock();
      if (awaits_file) {
        ++it;
        continue;
      }
      if (!opened) {
        if (!running_.empty()) break;  // whoever is running leaves some time
        request.fail(Error{ErrorCode::OverBudget, "the context's memory cannot hold it",
                           model_.facts().path.string(), "allow fewer tokens"});
        ++counters_.failed;
        it = waiting_.erase(it);
        continue;
      }
      request.sequence = opened->sequence;
      request.start(SteadyClock::now(), opened->reused);
      if (request.priority() == Priority::Interactive) pass_over_batch();
      running_.push_back(std::move(*it));
      it = waiting_.erase(it);
    }
  }

  static int rank(const RunningRequest& request) {
    switch (request.priority()) {
      case Priority::Interactive: return 1;
      case Priority::Batch: return request.passed_over >= kPassedOverMax ? 0 : 2;
      case Priority::Background: return 3;
    }
    return 3;
  }

  void pass_over_batch() {
    for (auto& request : waiting_) {
      if (request && request->priority() == Priority::Batch) ++request->passed_over;
    }
  }

  bool room_for(const RunningRequest& request) {
    if (request.priority() == Priority::Background) return running_.empty();
    if (in_background()) park(running_.begin());
    return running_.size() < options_.parallel || park_for(request);
  }

  // Whoever computes in the background is alone.
  bool in_background() const {
    return !running_.empty() && running_.front()->priority() == Priority::Background;
  }

  // An interactive request takes the place of one of a batch.
  bool park_for(const RunningRequest& request) {
    if (request.priority() != Priority::Interactive) return false;
    const auto parked =
        std::find_if(running_.rbegin(), running_.rend(), [](const auto& other) {
          return other->priority() == Priority::Batch && other->passed_over < kPassedOverMax;
        });
    if (parked == running_.rend()) return false;
    park(std::next(parked).base());
    return true;
  }

  // It waits, with its tokens kept.
  void park(Requests::iterator parked) {
    RunningRequest& request = **parked;
    context_->kv().keep(request.sequence);
    request.sequence = -1;
    request.computed = 0;
    request.looked_for_snapshot = false;
    request.awaited_snapshot.clear();
    ++request.passed_over;
    ++counters_.parked;
    waiting_.splice(waiting_.end(), running_, parked);
  }

  // Another request is computing what this one begins with: once is enough.
  bool shared_prefix_comes(const RunningRequest& request) {
    if (options_.kept_sequences == 0) return false;
    const size_t held = context_->kv().held(request.scope(), request.tokens());
    return std::any_of(running_.begin(), running_.end(), [&](const auto& other) {
      if (other->scope() != request.scope() || other->computed >= other->prompt_tokens()) {
        return false;
      }
      const auto prompt = other->tokens().first(other->prompt_tokens());
      const size_t shared = length_alike(prompt, request.tokens());
      return shared >= held + kSharedPrefixMin && other->computed < shared;
    });
  }

  void compute() {
    std::vector<PendingTokens> pending;
    for (const auto& request : running_) {
      pending.push_back({request->pending(), request->priority()});
    }
    // Whoever comes meanwhile waits no longer than a writer would have to.
    const size_t beside = pace_.tokens_beside_writers();
    const size_t most = in_background() ? std::min(beside, context_->batch_tokens())
                                        : context_->batch_tokens();
    const std::vector<size_t> planned =
        plan_batch(pending, {.batch_tokens = most, .prompt_tokens = beside});
    std::vector<PassMember> members;
    size_t prompt_tokens = 0;
    size_t i = 0;
    for (const auto& request : running_) {
      const size_t count = planned[i++];
      if (count > 0) members.push_back({.request = request.get(), .tokens = count});
      if (count > 1) prompt_tokens += count;
    }
    const auto start = SteadyClock::now();
    context_->pass().run(
        members,
        [this](RunningRequest& request, std::span<const float> logits) {
          if (request.advance(logits)) end(request, true);
        },
        [this](RunningRequest& request, Error error) {
          request.fail(std::move(error));
          end(request, false);
        });
    pace_.measure(prompt_tokens,
                  std::chrono::duration<double>(SteadyClock::now() - start).count());
    if (snapshots_) snapshots_->set_prompt_rate(pace_.tokens_per_second());
    if (in_background()) running_.front()->tell_progress();
    const std::lock_guard lock(mutex_);
    ++counters_.passes;
  }

  void end(RunningRequest& request, bool answered) {
    if (answered) {
      context_->kv().keep(request.sequence);
    } else {
      context_->kv().drop(request.sequence);
    }
    running_.remove_if([&](const auto& other) { return other.get() == &request; });
    const std::lock_guard lock(mutex_);
    ++(answered ? counters_.answered : counters_.failed);
    note_counters();
  }

  const LanguageModel& model_;
  const llama_vocab* vocabulary_;
  const Result<ChatTemplate> chat_;  // an error is told when something is to be generated
  SchedulerOptions options_;
  size_t longest_piece_ = 1;
  MemoryPlan memory_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Requests waiting_;
  SchedulerCounters counters_;
  bool stopping_ = false;

  // Of the computing thread alone.
  Requests running_;
  std::unique_ptr<ModelContext> context_;
  std::unique_ptr<PrefixSnapshots> snapshots_;  // null: none
  PromptPace pace_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Scheduler>> Scheduler::create(const LanguageModel& model, CoreBudget& cores,
                                                     const SchedulerOptions& options) {
  prepare_backend();
  auto scheduler = std::make_unique<LlamaScheduler>(model, options);
  if (auto opened = scheduler->open(cores); !opened) return opened.error();
  return Result<std::unique_ptr<Scheduler>>(std::move(scheduler));
}

}  // namespace tinyarms::engine
