#include "service/shadow_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>

#include "service/judgement.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;
using cascade::Level;

class QuietClock final : public Clock {
 public:
  double monotonic_seconds() const override { return 0; }
  double wall_seconds() const override { return 1e9; }
};

// Says what it is told to, and remembers what it was asked.
class ScriptedRemote final : public tiers::RemoteEngine {
 public:
  Result<cascade::Attempt> complete(const cascade::Request& request, const cascade::Trace&,
                                    const StopFlag&, cascade::Listener&) override {
    asked.push_back(request.question());
    if (replies.empty()) return Error{ErrorCode::Unavailable, "down", "", ""};
    cascade::Attempt attempt;
    attempt.answered = true;
    attempt.answer = replies.front();
    replies.pop_front();
    return attempt;
  }
  std::deque<std::string> replies;
  std::vector<std::string> asked;
};

class ShadowCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("tinyarms_shadow_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    paths_.data_dir = folder_;
    paths_.cache_dir = folder_;
    paths_.models_dir = folder_ / "models";
    settings_.log.decisions = true;
    settings_.shadow.share = 1;
    settings_.offline = false;
    settings_.l1.enabled = false;
    settings_.l4.urls = {"http://127.0.0.1:9"};
    settings_.l4.model = "big";
  }
  void TearDown() override { fs::remove_all(folder_); }

  // An answer of L2 that was kept, as the log has it.
  std::string keep(const std::string& question, const std::string& answer, bool sure = true) {
    cascade::Request request;
    request.messages.push_back({cascade::Role::User, question});
    cascade::Reply reply;
    cascade::Step step;
    step.level = Level::L2;
    step.decision = cascade::Decision::Accept;
    step.attempt.answered = true;
    step.attempt.answer = answer;
    reply.trace.push_back(step);
    reply.winner = 0;
    reply.sure = sure;
    std::vector<std::string> notices;
    Judgement judgement(settings_, paths_, clock_, notices);
    return judgement.record(request, reply);
  }

  std::unique_ptr<ShadowChecker> open() {
    auto checker = ShadowChecker::open(
        settings_,
        {.paths = paths_, .clock = clock_, .physical_bytes = 1 << 30, .remote = &remote_});
    EXPECT_TRUE(checker) << checker.error().message();
    return std::move(*checker);
  }

  fs::path folder_;
  Paths paths_;
  QuietClock clock_;
  Settings settings_;
  ScriptedRemote remote_;
  StopFlag stop_;
};

TEST_F(ShadowCheckTest, NumbersAreCompared) {
  const std::string right = keep("How many legs have two cats?", "8");
  const std::string wrong = keep("How many legs have three cats?", "It is 11.");
  auto checker = open();
  EXPECT_EQ(*checker->waiting(), 2);
  remote_.replies = {"2 × 4 = 8", "12"};
  auto first = checker->check_next(stop_);
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_EQ((*first)->id, right);
  EXPECT_EQ((*first)->good, true);
  EXPECT_EQ((*first)->by, Level::L4);
  auto second = checker->check_next(stop_);
  EXPECT_EQ((*second)->id, wrong);
  EXPECT_EQ((*second)->good, false);
  EXPECT_FALSE(*checker->check_next(stop_));

  auto log = storage::DecisionLog::open_existing(decision_log_path(paths_), clock_);
  std::vector<std::optional<bool>> outcomes;
  ASSERT_TRUE((*log)->read([&](const storage::LoggedDecision& one) -> Result<void> {
    outcomes.push_back(one.steps[0].good);
    return {};
  }));
  EXPECT_THAT(outcomes, testing::ElementsAre(true, false));
}

TEST_F(ShadowCheckTest, WordsAreLeftToTheHigherTiersOpinion) {
  keep("What is a mutex?", "A lock.");
  keep("What is a semaphore?", "A flag.");
  auto checker = open();
  remote_.replies = {"Something that only one may hold.", "Yes.", "A counter.", "Hard to say"};
  EXPECT_EQ((*checker->check_next(stop_))->good, true);
  EXPECT_THAT(remote_.asked.back(), testing::HasSubstr("Proposed answer:\nA lock."));
  EXPECT_EQ((*checker->check_next(stop_))->good, std::nullopt);
  EXPECT_EQ(*checker->waiting(), 0);
}

TEST_F(ShadowCheckTest, WhoIsDownLosesNothing) {
  keep("How many?", "3");
  auto checker = open();
  EXPECT_FALSE(checker->check_next(stop_));
  stop_.raise();
  remote_.replies = {"3"};
  EXPECT_FALSE(checker->check_next(stop_));
  EXPECT_EQ(*checker->waiting(), 1);
}

TEST_F(ShadowCheckTest, WithoutAHigherTierItSaysSo) {
  keep("How many?", "3");
  settings_.offline = true;
  auto checker = open();
  auto checked = checker->check_next(stop_);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().hint, testing::HasSubstr("l3.model"));
}

TEST_F(ShadowCheckTest, OnlyKeptAnswersWait) {
  keep("How many?", "3", /*sure=*/false);
  settings_.shadow.share = 0;
  keep("How many?", "3");
  EXPECT_EQ(*open()->waiting(), 0);
}

}  // namespace
}  // namespace tinyarms::service
