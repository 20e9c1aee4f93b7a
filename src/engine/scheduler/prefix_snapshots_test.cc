// Restarts with a model of a few kilobytes and random weights: what is computed again is counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "engine/scheduler/settled_answer_test.h"
#include "engine/snapshots/snapshot_keeper.h"
#include "engine/snapshots/snapshot_memory.h"
#include "engine/tiny_model_test.h"

namespace tinyarms::engine {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr size_t kPrompt = 300;  // bytes, which are tokens here

class PrefixSnapshotsTest : public testing::TinyModelTest {
 protected:
  // As a process that starts: everything of the one before is gone but the files.
  void start(SchedulerOptions options = {}, bool snapshots = true) {
    stop();
    if (snapshots) {
      const auto note = [this](const std::string& line) { notices_.push_back(line); };
      auto folder = SnapshotFolder::open({.folder = folder_ / "prefixes",
                                          .key_file = folder_ / "key",
                                          .bytes_max = 64 << 20,
                                          .on_notice = note},
                                         clock_);
      ASSERT_TRUE(folder) << folder.error().message();
      (*folder)->refresh();
      keeper_ = std::make_unique<SnapshotKeeper>(std::move(*folder), note);
      options.snapshots = {&memory_, keeper_.get()};
      if (options.model_hash.empty()) options.model_hash = "the tiny one";
    }
    options.context_tokens = std::min(options.context_tokens, 512u);
    auto scheduler = Scheduler::create(*model_, cores_, options);
    ASSERT_TRUE(scheduler) << scheduler.error().message();
    scheduler_ = std::move(*scheduler);
  }
  void stop() {
    scheduler_.reset();
    keeper_.reset();
  }

  static CompletionRequest ask(char letter, const std::string& scope = "") {
    CompletionRequest request;
    std::string words;
    while (words.size() < kPrompt) words += std::string(1 + words.size() % 7, letter) + " ";
    request.messages = {{"user", words}};
    request.tokens_max = 20;
    request.scope = scope;
    return request;
  }
  static CompletionRequest next_turn(char letter, const Completion& first) {
    CompletionRequest request = ask(letter);
    request.messages.push_back({"assistant", first.text});
    request.messages.push_back({"user", "and then?"});
    return request;
  }

  Completion answer(CompletionRequest request) {
    return testing::settled_answer(*scheduler_, std::move(request));
  }

  std::vector<fs::path> files() const {
    std::vector<fs::path> all;
    for (const auto& file : fs::directory_iterator(folder_ / "prefixes")) {
      all.push_back(file.path());
    }
    return all;
  }
  uint64_t computed() const { return scheduler_->counters().kv.tokens_computed; }
  uint64_t restored() const { return scheduler_->counters().kv.tokens_restored; }

  SystemClock clock_;
  CoreBudget cores_{1};
  SnapshotMemory memory_{0, clock_};  // provides for the copies, keeps none
  std::unique_ptr<SnapshotKeeper> keeper_;
  std::unique_ptr<Scheduler> scheduler_;
  std::vector<std::string> notices_;
};

TEST_F(PrefixSnapshotsTest, ARestartedConversationGoesOnAsIfItHadNotEnded) {
  start({}, false);
  const Completion first = answer(ask('q'));
  const uint64_t before = computed();
  const Completion warm = answer(next_turn('q', first));
  const uint64_t warm_computed = computed() - before;
  ASSERT_GT(warm.cached_tokens, 300);

  start();
  EXPECT_EQ(answer(ask('q')).answer, first.answer);
  stop();
  ASSERT_EQ(files().size(), 1u);
  struct stat facts {};
  ASSERT_EQ(::stat(files()[0].c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600u);

  start();
  const Completion restored_turn = answer(next_turn('q', first));
  EXPECT_EQ(computed(), warm_computed);
  EXPECT_EQ(restored_turn.cached_tokens, warm.cached_tokens);
  EXPECT_GE(restored(), static_cast<uint64_t>(warm.cached_tokens));
  EXPECT_EQ(restored_turn.answer, warm.answer);
  EXPECT_EQ(restored_turn.margins, warm.margins);  // the same bytes in the same order
  EXPECT_EQ(keeper_->counters().tokens_restored, restored());

  start({}, false);
  const Completion cold = answer(next_turn('q', first));
  EXPECT_EQ(cold.cached_tokens, 0);
  EXPECT_EQ(cold.answer, warm.answer);
  ASSERT_EQ(cold.margins.size(), warm.margins.size());
  for (size_t i = 0; i < cold.margins.size(); ++i) {
    EXPECT_NEAR(cold.margins[i], restored_turn.margins[i], 1e-3) << i;
  }
  EXPECT_TRUE(notices_.empty()) << notices_.front();
}

TEST_F(PrefixSnapshotsTest, OnlyTheLongerConversationStaysOnDisk) {
  CompletionRequest request;
  request.prompt = std::string(kPrompt, 'q');
  request.tokens_max = 1;  // the token that is drawn last is never computed
  start();
  answer(request);
  start();
  *request.prompt += std::string(100, 'r');
  EXPECT_EQ(answer(request).cached_tokens, static_cast<int>(kPrompt));
  start();
  ASSERT_EQ(files().size(), 1u);
  const fs::path file = files()[0];
  *request.prompt += "just a few more";  // not worth another file
  EXPECT_EQ(answer(request).cached_tokens, static_cast<int>(kPrompt + 100));
  EXPECT_EQ(keeper_->counters().written, 0u);
  stop();
  EXPECT_EQ(files(), std::vector<fs::path>{file});
}

TEST_F(PrefixSnapshotsTest, ScopesShareNoFiles) {
  start();
  answer(ask('q', "anna"));
  start();
  EXPECT_EQ(answer(ask('q', "bert")).cached_tokens, 0);
  EXPECT_EQ(answer(ask('q')).cached_tokens, 0);
  EXPECT_EQ(restored(), 0u);
  EXPECT_GT(answer(ask('q', "anna")).cached_tokens, 300);
}

TEST_F(PrefixSnapshotsTest, AnotherModelOrSetUpIsNotThisOne) {
  start({.model_hash = "one"});
  answer(ask('q'));
  start({.model_hash = "two"});
  EXPECT_EQ(answer(ask('q')).cached_tokens, 0);
  start({.kv_tokens = 1024, .model_hash = "one"});  // other positions, for some models
  EXPECT_EQ(answer(ask('q')).cached_tokens, 0);
  start({.model_hash = "one"});
  EXPECT_GT(answer(ask('q')).cached_tokens, 300);
  EXPECT_TRUE(notices_.empty());
}

TEST_F(PrefixSnapshotsTest, ADamagedFileIsComputedCold) {
  start();
  const Completion whole = answer(ask('q'));
  stop();
  ASSERT_EQ(files().size(), 1u);
  const std::string bytes = read_bytes(files()[0]);
  for (const size_t at : {size_t{2}, size_t{200}, size_t{400}, bytes.size() - 5}) {
    std::string bad = bytes;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    for (const auto& file : files()) fs::remove(file);
    const fs::path path = folder_ / "prefixes" / "0011.prefix";
    write_bytes(path, bad);
    ::chmod(path.c_str(), 0600);
    notices_.clear();
    start();
    const Completion cold = answer(ask('q'));
    EXPECT_EQ(cold.cached_tokens, 0) << at;
    EXPECT_EQ(cold.answer, whole.answer) << at;
    EXPECT_EQ(restored(), 0u) << at;
    ASSERT_EQ(notices_.size(), 1u) << at;
    EXPECT_THAT(notices_[0], HasSubstr("it was removed"));
    EXPECT_FALSE(fs::exists(path));
    stop();
  }
}

// While it is read the file goes: another process needed room.
TEST_F(PrefixSnapshotsTest, AFileThatIsGoneIsComputedCold) {
  start();
  answer(ask('q'));
  start();
  for (const auto& file : files()) fs::remove(file);
  EXPECT_EQ(answer(ask('q')).cached_tokens, 0);
  EXPECT_EQ(keeper_->counters().unusable, 1u);
  EXPECT_TRUE(notices_.empty());
}

TEST_F(PrefixSnapshotsTest, WhatIsEvictedGoesToDiskAndComesBack) {
  start({.kv_tokens = 512, .kept_sequences = 2});
  answer(ask('q'));
  answer(ask('r'));  // there is room for one
  EXPECT_GT(scheduler_->counters().kv.evictions, 0u);
  keeper_->wait_until_idle();
  EXPECT_EQ(files().size(), 1u);
  const Completion again = answer(ask('q'));
  EXPECT_GT(again.cached_tokens, 300);
  EXPECT_GT(restored(), 300u);
}

TEST_F(PrefixSnapshotsTest, ShortPromptsAreNotWritten) {
  start();
  CompletionRequest request;
  request.messages = {{"user", std::string(100, 'q')}};
  request.tokens_max = 20;
  answer(request);
  stop();
  EXPECT_TRUE(files().empty());
}

TEST_F(PrefixSnapshotsTest, ManyMayWaitForOneFile) {
  start({.parallel = 4, .kv_tokens = 2048});
  const Completion first = answer(ask('q'));
  start({.parallel = 4, .kv_tokens = 2048});
  std::vector<std::unique_ptr<CompletionStream>> streams;
  for (int i = 0; i < 6; ++i) {
    auto stream = scheduler_->submit(ask(i == 3 ? 'x' : 'q'));
    ASSERT_TRUE(stream);
    streams.push_back(std::move(*stream));
  }
  streams[0]->cancel();
  for (size_t i = 1; i < streams.size(); ++i) {
    auto completion = streams[i]->result();
    ASSERT_TRUE(completion) << completion.error().message();
    if (i == 3) continue;
    EXPECT_EQ(completion->answer, first.answer);
    EXPECT_GT(completion->cached_tokens, 300);
  }
  EXPECT_EQ(keeper_->counters().read, 1u);
}

TEST_F(PrefixSnapshotsTest, AFolderThatGoesAwayCostsOnlyTheSaving) {
  start();
  const Completion first = answer(ask('q'));
  fs::remove_all(folder_ / "prefixes");
  write_bytes(folder_ / "prefixes", "in the way");
  stop();
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_THAT(notices_[0], HasSubstr("was not written"));
  fs::remove(folder_ / "prefixes");
  start();
  EXPECT_EQ(answer(ask('q')).answer, first.answer);
}

// Stopped in the middle: what was computed by then is kept.
TEST_F(PrefixSnapshotsTest, WhatIsUnderWayAtTheEndIsKeptToo) {
  start();
  CompletionRequest request = ask('q');
  request.tokens_max = 150;
  auto stream = scheduler_->submit(request);
  ASSERT_TRUE(stream);
  while (scheduler_->counters().kv.tokens_computed < 320) std::this_thread::yield();
  stop();
  EXPECT_FALSE((*stream)->result()->answer.empty());
  ASSERT_EQ(files().size(), 1u);
  start();
  EXPECT_GT(answer(request).cached_tokens, 300);
}

}  // namespace
}  // namespace tinyarms::engine
