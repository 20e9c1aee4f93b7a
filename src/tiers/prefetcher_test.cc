#include "tiers/prefetcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace tinyarms::tiers {
namespace {

class SteppingClock final : public Clock {
 public:
  double monotonic_seconds() const override { return now; }
  double wall_seconds() const override { return now; }
  std::atomic<double> now{0};
};

// Takes prompts, and computes none of them by itself.
class HandEngine final : public engine::CompletionEngine {
 public:
  Result<std::unique_ptr<engine::CompletionStream>> submit(
      engine::CompletionRequest request) override {
    if (refuses) return Error{ErrorCode::ContextTooLong, "too long", "", ""};
    asked = std::move(request);
    channel = std::make_shared<engine::CompletionChannel>();
    submitted = true;
    return std::make_unique<engine::CompletionStream>(channel);
  }
  Result<int> count_tokens(const engine::CompletionRequest&) override { return 0; }

  bool refuses = false;
  engine::CompletionRequest asked;
  std::shared_ptr<engine::CompletionChannel> channel;
  std::atomic<bool> submitted{false};
};

class HandLoader final : public ModelLoader {
 public:
  explicit HandLoader(engine::CompletionEngine* engine) : engine_(engine) {}
  Result<uint64_t> bytes_needed(const std::filesystem::path&, uint32_t) override { return 40; }
  Result<LoadedModel> load(const std::filesystem::path&, uint32_t) override {
    LoadedModel model;
    model.completions = engine_;
    return model;
  }

 private:
  engine::CompletionEngine* engine_;
};

class PrefetcherTest : public testing::Test {
 protected:
  Prefetcher::Job job() {
    return {.file = "large",
            .context_tokens = 10,
            .submit = [](engine::CompletionEngine& large, const StopFlag& stop) {
              engine::CompletionRequest request;
              request.stop_flag = &stop;
              return large.submit(std::move(request));
            }};
  }
  void await_submission() {
    while (!engine.submitted.exchange(false)) std::this_thread::yield();
  }
  // The problem of a headstart that ends by itself.
  std::string problem_of(cascade::Headstart& headstart) {
    while (headstart.report().problem.empty()) std::this_thread::yield();
    return headstart.report().problem;
  }

  SteppingClock clock;
  HandEngine engine;
  HandLoader loader{&engine};
  ModelShelf shelf{loader, clock, 100};
};

TEST_F(PrefetcherTest, TellsHowFarItIs) {
  Prefetcher prefetcher(shelf, clock);
  auto headstart = prefetcher.begin(job());
  ASSERT_NE(headstart, nullptr);
  await_submission();
  clock.now = 3;
  EXPECT_EQ(headstart->report().seconds, 3);
  EXPECT_EQ(headstart->report().tokens, 0);
  engine::CompletionEvent event;
  event.prompt_done = 64;
  engine.channel->publish(std::move(event));
  while (headstart->report().tokens != 64) std::this_thread::yield();
  EXPECT_FALSE(headstart->report().complete);
  engine::Completion completion;
  completion.prompt_tokens = 100;
  completion.cached_tokens = 20;
  engine.channel->finish(completion);
  while (!headstart->report().complete) std::this_thread::yield();
  EXPECT_EQ(headstart->report().tokens, 80);
  EXPECT_EQ(headstart->report().problem, "");
}

TEST_F(PrefetcherTest, OneAtATime) {
  Prefetcher prefetcher(shelf, clock);
  auto first = prefetcher.begin(job());
  await_submission();
  EXPECT_EQ(prefetcher.begin(job()), nullptr);
  engine.channel->finish(engine::Completion{});
  std::unique_ptr<cascade::Headstart> second;
  while (second == nullptr) second = prefetcher.begin(job());  // once the first is over
  await_submission();
  engine.channel->finish(engine::Completion{});
}

TEST_F(PrefetcherTest, LettingGoCancelsAndDoesNotWait) {
  Prefetcher prefetcher(shelf, clock);
  auto headstart = prefetcher.begin(job());
  await_submission();
  const StopFlag* stop = engine.asked.stop_flag;
  headstart.reset();  // nobody has ended the request yet
  EXPECT_TRUE(stop->raised());
  EXPECT_EQ(prefetcher.begin(job()), nullptr);  // it is still at it
  engine.channel->finish(Error{ErrorCode::Interrupted, "stopped", "", ""});
}

TEST_F(PrefetcherTest, WhatFailsSaysSoAndNoMore) {
  engine.refuses = true;
  Prefetcher prefetcher(shelf, clock);
  auto refused = prefetcher.begin(job());
  EXPECT_NE(problem_of(*refused).find("too long"), std::string::npos);
  refused.reset();
  std::unique_ptr<cascade::Headstart> thrown;
  Prefetcher::Job bad = job();
  bad.submit = [](engine::CompletionEngine&, const StopFlag&)
      -> Result<std::unique_ptr<engine::CompletionStream>> { throw std::bad_alloc(); };
  while (thrown == nullptr) thrown = prefetcher.begin(bad);
  EXPECT_EQ(problem_of(*thrown), std::bad_alloc().what());
}

TEST_F(PrefetcherTest, WhatDoesNotFitIsNotTried) {
  ModelShelf narrow(loader, clock, 70);
  auto loan = narrow.take("small", 10);
  ASSERT_TRUE(loan);
  Prefetcher prefetcher(narrow, clock);
  auto headstart = prefetcher.begin(job());
  EXPECT_NE(problem_of(*headstart).find("does not fit"), std::string::npos);
  EXPECT_FALSE(engine.submitted);
}

TEST_F(PrefetcherTest, GoesWithWhatItBegan) {
  std::unique_ptr<cascade::Headstart> outlives;
  std::thread ends;
  {
    Prefetcher prefetcher(shelf, clock);
    outlives = prefetcher.begin(job());
    await_submission();
    ends = std::thread([&] {
      while (!engine.asked.stop_flag->raised()) std::this_thread::yield();
      engine.channel->finish(Error{ErrorCode::Interrupted, "stopped", "", ""});
    });
  }
  ends.join();
  EXPECT_EQ(outlives->report().problem, "");  // it was told to stop
}

}  // namespace
}  // namespace tinyarms::tiers
