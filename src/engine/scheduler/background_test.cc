// Work ahead in the background: it computes what is asked for later, and is in nobody's way. With
// a model of a few kilobytes and random weights.
#include <gtest/gtest.h>
#include <llama.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "engine/scheduler/scheduler.h"
#include "engine/tiny_model_test.h"

namespace tinyarms::engine {
namespace {

// Holds the computing thread before each pass until it is opened.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    arrived_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void await_arrival() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool arrived_ = false;
  bool open_ = false;
};

class BackgroundTest : public testing::TinyModelTest {
 protected:
  void TearDown() override {
    if (gate_) gate_->open();
  }

  void open(SchedulerOptions options) {
    gate_ = std::make_shared<Gate>();
    options.context_tokens = 512;
    options.kv_tokens = 1024;
    options.decode = [gate = gate_](llama_context* context, const llama_batch& batch) {
      gate->pass();
      return llama_decode(context, batch);
    };
    auto scheduler = Scheduler::create(*model_, cores_, options);
    ASSERT_TRUE(scheduler) << scheduler.error().message();
    scheduler_ = std::move(*scheduler);
  }

  // Some 300 tokens of prompt: five passes of the first size.
  CompletionRequest ask(char letter, Priority priority = Priority::Interactive) const {
    CompletionRequest request;
    request.messages = {{"user", std::string(300, letter)}};
    request.tokens_max = priority == Priority::Background ? 1 : 12;
    request.priority = priority;
    return request;
  }
  std::unique_ptr<CompletionStream> submit(CompletionRequest request) {
    auto stream = scheduler_->submit(std::move(request));
    EXPECT_TRUE(stream) << stream.error().message();
    return stream ? std::move(*stream) : nullptr;
  }

  CoreBudget cores_{1};
  std::shared_ptr<Gate> gate_;
  std::unique_ptr<Scheduler> scheduler_;
};

TEST_F(BackgroundTest, WhatIsAskedForNextIsThere) {
  open({});
  gate_->open();
  auto stream = submit(ask('y', Priority::Background));
  int done = 0;
  while (const auto event = stream->next()) {
    done = std::max(done, event->prompt_done);
  }
  auto computed = stream->result();
  ASSERT_TRUE(computed) << computed.error().message();
  EXPECT_GT(done, 0);
  EXPECT_LE(done, computed->prompt_tokens);
  auto warm = submit(ask('y'))->result();
  CompletionRequest elsewhere = ask('y');
  elsewhere.scope = "another";
  auto cold = submit(std::move(elsewhere))->result();
  ASSERT_TRUE(warm && cold);
  EXPECT_EQ(warm->cached_tokens, warm->prompt_tokens - 1);
  EXPECT_EQ(warm->text, cold->text);
}

TEST_F(BackgroundTest, MakesWayBetweenTwoPassesAndKeepsWhatItHas) {
  for (const uint32_t parallel : {1u, 2u}) {
    SCOPED_TRACE(parallel);
    open({.parallel = parallel});
    auto ahead = submit(ask('b', Priority::Background));
    gate_->await_arrival();
    auto asked = submit(ask('b'));  // the same prompt, by somebody who waits
    gate_->open();
    auto answer = asked->result();
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_GT(answer->cached_tokens, 0);
    EXPECT_LT(answer->cached_tokens, answer->prompt_tokens - 1);  // it did not wait for the rest
    EXPECT_EQ(scheduler_->counters().parked, 1u);
    EXPECT_TRUE(ahead->result());  // when there is nobody else
    scheduler_.reset();
  }
}

TEST_F(BackgroundTest, TakesNobodysPlaceInTheQueue) {
  open({.queue_max = 1});
  auto running = submit(ask('a'));
  gate_->await_arrival();
  auto ahead = submit(ask('b', Priority::Background));
  auto waiting = submit(ask('c'));
  auto refused = scheduler_->submit(ask('d'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
  gate_->open();
  EXPECT_TRUE(running->result());
  EXPECT_TRUE(waiting->result());
  EXPECT_TRUE(ahead->result());
}

TEST_F(BackgroundTest, IsCancelledAndForgottenInOrder) {
  open({});
  StopFlag stop;
  CompletionRequest request = ask('a', Priority::Background);
  request.stop_flag = &stop;
  auto ahead = submit(std::move(request));
  gate_->await_arrival();
  stop.raise();
  gate_->open();
  auto completion = ahead->result();
  ASSERT_FALSE(completion);
  EXPECT_EQ(completion.error().code, ErrorCode::Interrupted);
  const auto computed = scheduler_->counters().kv.tokens_computed;
  EXPECT_LT(computed, 100u);  // no pass after that
  EXPECT_TRUE(submit(ask('b'))->result());
}

TEST(CoreBudgetTest, InTheBackgroundHalfOfTheCoresAtMost) {
  for (const auto& [cores, most] : {std::pair(1, 1), {2, 1}, {3, 1}, {8, 4}}) {
    CoreBudget budget(cores);
    EXPECT_EQ(budget.take(true).threads(), most) << cores;
    EXPECT_EQ(budget.take().threads(), cores);
  }
  CoreBudget budget(8);
  const CoreBudget::Share behind = budget.take(true);
  EXPECT_EQ(budget.take().threads(), 4);  // an equal part, as beside anybody
}

}  // namespace
}  // namespace tinyarms::engine
