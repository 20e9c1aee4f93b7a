// Prefixes that leave the context for the machine's memory and come back, with a model of a few
// kilobytes and random weights: what is computed again is counted.
#include <gtest/gtest.h>
#include <llama.h>

#include <thread>

#include "engine/scheduler/settled_answer_test.h"
#include "engine/snapshots/snapshot_memory.h"
#include "engine/tiny_model_test.h"

namespace tinyarms::engine {
namespace {

constexpr size_t kLongPrompt = 300;  // bytes, which are tokens here

class PrefixMemoryTest : public testing::TinyModelTest {
 protected:
  void start(SchedulerOptions options = {}, uint64_t bytes_max = 64 << 20) {
    scheduler_.reset();
    if (!memory_) memory_ = std::make_unique<SnapshotMemory>(bytes_max, clock_);
    options.snapshots.memory = memory_.get();
    if (options.model_stamp.empty()) options.model_stamp = "the tiny one";
    options.context_tokens = std::min(options.context_tokens, 512u);
    auto scheduler = Scheduler::create(*model_, cores_, options);
    ASSERT_TRUE(scheduler) << scheduler.error().message();
    scheduler_ = std::move(*scheduler);
  }

  static CompletionRequest ask(const std::string& words, const std::string& scope = "") {
    CompletionRequest request;
    request.prompt = words;
    request.tokens_max = 20;
    request.scope = scope;
    return request;
  }
  static std::string long_text(char letter) {
    std::string words;
    while (words.size() < kLongPrompt) words += std::string(1 + words.size() % 7, letter) + " ";
    return words;
  }

  Completion answer(CompletionRequest request) {
    return testing::settled_answer(*scheduler_, std::move(request));
  }

  KvCounters kv() const { return scheduler_->counters().kv; }
  size_t copies() const { return memory_->counters().snapshots; }

  SystemClock clock_;
  CoreBudget cores_{1};
  std::unique_ptr<SnapshotMemory> memory_;
  std::unique_ptr<Scheduler> scheduler_;
};

TEST_F(PrefixMemoryTest, WhatLeftTheContextComesBackAsItWas) {
  start({.kv_tokens = 1024}, 0);  // nothing leaves: the context holds both
  const Completion first = answer(ask(long_text('q')));
  answer(ask(long_text('r')));
  const std::string turn = long_text('q') + first.text + " and then?";
  const Completion held = answer(ask(turn));
  ASSERT_GE(held.cached_tokens, 300);
  EXPECT_EQ(kv().tokens_restored, 0u);

  scheduler_.reset();
  memory_.reset();
  start({.kv_tokens = 1024});
  EXPECT_EQ(answer(ask(long_text('q'))).answer, first.answer);
  answer(ask(long_text('r')));
  EXPECT_EQ(copies(), 1u);
  const uint64_t before = kv().tokens_computed;
  const Completion back = answer(ask(turn));
  EXPECT_EQ(back.cached_tokens, held.cached_tokens);
  EXPECT_EQ(kv().tokens_computed - before,
            static_cast<uint64_t>(back.prompt_tokens - back.cached_tokens +
                                  back.completion_tokens - 1));
  EXPECT_EQ(kv().tokens_restored, static_cast<uint64_t>(back.cached_tokens));
  EXPECT_EQ(memory_->counters().tokens_restored, kv().tokens_restored);
  EXPECT_EQ(back.answer, held.answer);
  ASSERT_EQ(back.margins.size(), held.margins.size());
  for (size_t i = 0; i < back.margins.size(); ++i) {
    EXPECT_NEAR(back.margins[i], held.margins[i], 1e-3) << i;
  }
}

// Whoever computes passes over every cell in use.
TEST_F(PrefixMemoryTest, NothingIdleStaysWhereSomebodyComputes) {
  start({.kv_tokens = 2048});
  answer(ask(long_text('q')));
  answer(ask(long_text('r')));
  answer(ask(long_text('s')));
  EXPECT_EQ(kv().sequences_kept, 1u);
  EXPECT_LT(kv().cells_used, kLongPrompt + 40);
  EXPECT_EQ(kv().evictions, 0u);
  EXPECT_EQ(copies(), 2u);
}

TEST_F(PrefixMemoryTest, AShortOneIsNotWorthACopy) {
  start();
  answer(ask("hello"));
  answer(ask(long_text('r')));
  EXPECT_EQ(copies(), 0u);
  EXPECT_EQ(kv().sequences_kept, 2u);
}

TEST_F(PrefixMemoryTest, AnotherConversationGetsWhatBothBeginWith) {
  start();
  const std::string head = long_text('q');
  answer(ask(head + "what is one?" + std::string(40, 'm')));
  answer(ask(long_text('r')));
  const Completion other = answer(ask(head + "what is two?" + std::string(40, 'n')));
  EXPECT_GE(other.cached_tokens, static_cast<int>(head.size()));
  EXPECT_LT(other.cached_tokens, static_cast<int>(head.size()) + 20);
  answer(ask(long_text('r')));
  const Completion again = answer(ask(head + "what is one?" + std::string(40, 'm')));
  EXPECT_GE(again.cached_tokens, static_cast<int>(head.size()) + 50);  // nothing of it was lost
}

TEST_F(PrefixMemoryTest, ScopesShareNoCopies) {
  start();
  answer(ask(long_text('q'), "anna"));
  answer(ask(long_text('r'), "anna"));
  ASSERT_EQ(copies(), 1u);
  EXPECT_EQ(answer(ask(long_text('q'), "bert")).cached_tokens, 0);
  EXPECT_GT(answer(ask(long_text('q'), "anna")).cached_tokens, 250);
}

TEST_F(PrefixMemoryTest, AModelThatIsLoadedAgainFindsThem) {
  start();
  answer(ask(long_text('q')));
  start();  // what it had in its context is copied when it goes
  EXPECT_GT(answer(ask(long_text('q'))).cached_tokens, 250);
  start({.model_stamp = "another file"});
  EXPECT_EQ(answer(ask(long_text('q'))).cached_tokens, 0);
  start({.kv_tokens = 1024});  // other positions, for some models
  EXPECT_EQ(answer(ask(long_text('q'))).cached_tokens, 0);
}

// One that is larger than all of them may be costs the others nothing.
TEST_F(PrefixMemoryTest, OnlyWhatFitsLeavesTheContext) {
  start({.kv_tokens = 2048});
  answer(ask(long_text('q')));
  answer(ask(long_text('r')));
  ASSERT_EQ(copies(), 1u);
  const uint64_t bytes = memory_->counters().bytes;
  scheduler_.reset();
  memory_.reset();
  start({.kv_tokens = 2048}, bytes + 100);
  answer(ask(long_text('q')));
  answer(ask(long_text('r') + long_text('s').substr(0, 150)));
  answer(ask(long_text('t')));
  EXPECT_EQ(copies(), 1u);
  EXPECT_EQ(kv().sequences_kept, 2u);  // the longer one and the last
  EXPECT_EQ(memory_->counters().let_go, 0u);
  EXPECT_GT(answer(ask(long_text('q'))).cached_tokens, 250);
}

TEST_F(PrefixMemoryTest, WithoutRoomItStaysInTheContext) {
  start({.kv_tokens = 1024});
  memory_->set_room(1000);
  answer(ask(long_text('q')));
  answer(ask(long_text('r')));
  EXPECT_EQ(copies(), 0u);
  EXPECT_EQ(kv().sequences_kept, 2u);
  EXPECT_GT(answer(ask(long_text('q'))).cached_tokens, 250);
  EXPECT_EQ(kv().tokens_restored, 0u);
}

TEST_F(PrefixMemoryTest, AFailedRequestCostsNothingThatWasCopied) {
  bool fails = false;
  start({.decode = [&](llama_context* context, const llama_batch& batch) {
    return fails ? -3 : llama_decode(context, batch);
  }});
  const Completion first = answer(ask(long_text('q')));
  answer(ask(long_text('r')));
  fails = true;
  auto stream = scheduler_->submit(ask(long_text('q')));
  ASSERT_TRUE(stream);
  EXPECT_FALSE((*stream)->result());
  while (scheduler_->counters().running > 0) std::this_thread::yield();
  fails = false;
  const Completion again = answer(ask(long_text('q')));
  EXPECT_GT(again.cached_tokens, 250);
  EXPECT_EQ(again.answer, first.answer);
}

// A batch's request that makes way keeps what it has, even where its cells are taken.
TEST_F(PrefixMemoryTest, AParkedRequestGoesOnWhereItWas) {
  start();
  CompletionRequest batch = ask(long_text('q'));
  batch.priority = Priority::Batch;
  batch.tokens_max = 100;
  batch.sampling.logit_bias = {{258, -1000}};  // does not end by itself
  const Completion alone = answer(batch);
  start({.model_stamp = "not yet seen"});
  answer(ask(long_text('s')));  // from here on it is known how fast prompts are
  auto slow = scheduler_->submit(batch);
  ASSERT_TRUE(slow);
  while (kv().tokens_computed < 2 * kLongPrompt + 10) std::this_thread::yield();
  const uint64_t before = kv().tokens_computed;
  answer(ask(long_text('r')));
  auto completion = (*slow)->result();
  ASSERT_TRUE(completion) << completion.error().message();
  EXPECT_EQ(completion->answer, alone.answer);
  EXPECT_EQ(scheduler_->counters().parked, 1u);
  while (scheduler_->counters().running > 0) std::this_thread::yield();
  // The long prompt of the other one, both answers, and not the parked one's prompt again.
  EXPECT_LT(kv().tokens_computed - before, kLongPrompt + 160);
}

}  // namespace
}  // namespace tinyarms::engine
