// Random arrivals, lengths, cancellations, priorities, deadlines and failing passes over two models
// that share the cores and the memory for their prefixes: every request ends, every cell is
// accounted for, nobody hears of another's failure. TINYARMS_STRESS_SECONDS makes it longer; the
// seed is fixed unless TINYARMS_STRESS_SEED is set.
#include <gtest/gtest.h>
#include <llama.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <thread>

#include "base/clock.h"
#include "engine/scheduler/scheduler.h"
#include "engine/snapshots/snapshot_memory.h"
#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

constexpr int kRequestsAtLeast = 150;  // of each thread

uint32_t number_from(const char* variable, uint32_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
}

CompletionRequest random_request(std::mt19937& random) {
  CompletionRequest request;
  const char* heads[] = {"you are terse", "you write code and nothing but code, in few lines", ""};
  const std::string head = heads[random() % 3];
  if (!head.empty()) request.messages.push_back({"system", head});
  const auto letter = static_cast<char>('a' + random() % 3);
  request.messages.push_back({"user", std::string(1 + random() % 220, letter)});
  request.tokens_max = 1 + static_cast<int>(random() % 60);
  constexpr Priority kPriorities[] = {Priority::Interactive, Priority::Interactive,
                                      Priority::Batch, Priority::Background};
  request.priority = kPriorities[random() % 4];
  request.sampling.seed = static_cast<uint32_t>(random());
  if (random() % 2 == 0) request.sampling.temperature = 1;
  if (random() % 4 == 0) request.sampling.top_p = 0.9;
  if (random() % 8 == 0) request.json_schema = "{\"type\":\"boolean\"}";
  if (random() % 16 == 0) request.seconds_max = 0;
  if (random() % 4 == 0) request.scope = "other";
  if (random() % 32 == 0) request.messages.back().content = std::string(3000, 'x');
  return request;
}

// One caller: asks, listens, lets go. Returns how many ended well.
int call(std::span<const std::unique_ptr<Scheduler>> models, uint32_t seed,
         std::chrono::steady_clock::time_point until, std::atomic<int>& unexpected) {
  std::mt19937 random(seed);
  std::vector<std::unique_ptr<CompletionStream>> open;
  int ended_well = 0;
  const auto end_one = [&](size_t which) {
    auto completion = open[which]->result();
    if (completion) ++ended_well;
    const bool known = completion || completion.error().code == ErrorCode::Interrupted ||
                       completion.error().code == ErrorCode::Internal;
    if (!known) ++unexpected;
    open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
  };
  for (int i = 0; i < kRequestsAtLeast || std::chrono::steady_clock::now() < until; ++i) {
    auto stream = models[random() % models.size()]->submit(random_request(random));
    if (stream) {
      open.push_back(std::move(*stream));
    } else if (stream.error().code != ErrorCode::Unavailable &&
               stream.error().code != ErrorCode::ContextTooLong) {
      ++unexpected;
    }
    if (open.empty()) continue;
    const size_t which = random() % open.size();
    switch (random() % 4) {
      case 0: open[which]->cancel(); break;
      case 1: open.erase(open.begin() + static_cast<std::ptrdiff_t>(which)); break;
      case 2: open[which]->next(); break;
      default: break;
    }
    if (open.size() > 6) end_one(0);
  }
  while (!open.empty()) end_one(0);
  return ended_well;
}

TEST(SchedulerStress, EveryRequestEndsAndEveryCellIsAccountedFor) {
  const uint32_t seed = number_from("TINYARMS_STRESS_SEED", 20);
  const auto until = std::chrono::steady_clock::now() +
                     std::chrono::seconds(number_from("TINYARMS_STRESS_SECONDS", 0));
  SCOPED_TRACE("seed " + std::to_string(seed));
  testing::TemporaryFolder folder;
  testing::write_tiny_model(folder / "one.gguf");
  testing::write_tiny_model(folder / "two.gguf", {.layers = 2, .heads = 4, .kv_heads = 2});
  CoreBudget cores(2);
  const SystemClock clock;
  SnapshotMemory memory(500'000, clock);
  std::vector<std::unique_ptr<const LanguageModel>> weights;
  std::vector<std::unique_ptr<Scheduler>> models;
  for (const char* name : {"one.gguf", "two.gguf"}) {
    auto loaded = LanguageModel::load(folder / name);
    ASSERT_TRUE(loaded) << loaded.error().message();
    weights.push_back(std::move(*loaded));
    auto scheduler = Scheduler::create(
        *weights.back(), cores,
        {.context_tokens = 400, .parallel = 3, .kv_tokens = 1024, .batch_tokens = 64,
         .queue_max = 8, .kept_sequences = 5, .snapshots = {.memory = &memory},
         .model_stamp = name,
         .decode = [passes = 0](llama_context* context, const llama_batch& batch) mutable {
           return ++passes % 61 == 0 ? -3 : llama_decode(context, batch);
         }});
    ASSERT_TRUE(scheduler) << scheduler.error().message();
    models.push_back(std::move(*scheduler));
  }
  std::atomic<int> ended_well{0};
  std::atomic<int> unexpected{0};
  std::atomic<bool> over{false};
  std::thread pressure([&] {
    for (int i = 0; !over; ++i) {  // other models come and go
      memory.set_room(i % 20 == 0 ? 0 : 400'000);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  std::vector<std::thread> callers;
  for (uint32_t i = 0; i < 3; ++i) {
    callers.emplace_back([&, i] { ended_well += call(models, seed + i, until, unexpected); });
  }
  for (std::thread& caller : callers) caller.join();
  over = true;
  pressure.join();
  EXPECT_EQ(unexpected, 0);
  EXPECT_GT(ended_well, 0);
  for (const auto& model : models) {
    // Streams that were let go may be ending still.
    while (model->counters().waiting + model->counters().running > 0) std::this_thread::yield();
    const SchedulerCounters counters = model->counters();
    EXPECT_EQ(counters.submitted, counters.answered + counters.failed);
    EXPECT_EQ(counters.kv.sequences_running, 0u);
    EXPECT_LE(counters.kv.cells_used, counters.kv.cells);
    EXPECT_GT(counters.kv.tokens_reused, 0u);
    EXPECT_GT(counters.kv.tokens_restored, 0u);
  }
  models.clear();
  EXPECT_LE(memory.counters().bytes, 500'000u);
  memory.stop_keeping();
  EXPECT_EQ(memory.counters().bytes, 0u);
}

}  // namespace
}  // namespace tinyarms::engine
