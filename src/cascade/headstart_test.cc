// When a tier above begins, and what becomes of it.
#include "cascade/headstart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cascade/cascade.h"
#include "cascade/declared_policy.h"

namespace tinyarms::cascade {
namespace {

class StillClock final : public Clock {
 public:
  double monotonic_seconds() const override { return 0; }
  double wall_seconds() const override { return 0; }
};

// Takes an answer's text for its confidence.
class Reader final : public Estimator {
 public:
  Confidence estimate(Level, const Attempt& attempt) const override {
    return {.value = std::stod(attempt.answer), .formula = "as written"};
  }
};

struct Diary {
  int begun = 0;
  bool cancelled = false;
  bool cancelled_when_asked = false;
  bool handed_over = false;
  HeadstartReport report = {.seconds = 2, .load_seconds = 0.5, .tokens = 70};
};

class NotedHeadstart final : public Headstart {
 public:
  explicit NotedHeadstart(Diary& diary) : diary_(diary) {}
  ~NotedHeadstart() override { cancel(); }
  HeadstartReport report() const override { return diary_.report; }
  void cancel() override { diary_.cancelled = true; }

 private:
  Diary& diary_;
};

struct Play {
  std::string answer = "0.1";
  Finish finish = Finish::Stop;
  bool fails = false;
  int says_writing = 2;  // times
  int64_t cached_tokens = 0;
  StopFlag* raises = nullptr;
};

class PlayingTier final : public Tier {
 public:
  PlayingTier(Level level, Play play, Diary& diary)
      : level_(level), play_(std::move(play)), diary_(diary) {}
  Level level() const override { return level_; }
  std::string describe() const override { return "a tier"; }
  std::optional<std::string> skip_reason(const Request&, const Trace& so_far) const override {
    // As a budget that is spent by the time the turn comes.
    if (skipped_after_below && !so_far.empty()) return "too late";
    return std::nullopt;
  }
  Result<Attempt> attempt(const Request&, const Trace&, const StopFlag&, Listener&) override {
    return Attempt::abstain("never asked so");
  }
  Result<Attempt> attempt_within(const Outlook& outlook, const Request&, const Trace&,
                                 const StopFlag&, Listener&) override {
    if (outlook.headstart != nullptr) {
      diary_.handed_over = true;
      diary_.cancelled_when_asked = diary_.cancelled;
    }
    for (int i = 0; i < play_.says_writing && outlook.writing; ++i) outlook.writing();
    if (play_.raises != nullptr) play_.raises->raise();
    if (play_.fails) return Error{ErrorCode::Internal, "broke", "", ""};
    Attempt attempt;
    attempt.answered = true;
    attempt.answer = play_.answer;
    attempt.finish = play_.finish;
    attempt.cost.cached_tokens = play_.cached_tokens;
    return attempt;
  }
  std::unique_ptr<Headstart> begin(const Request&, const Trace&) override {
    ++diary_.begun;
    return std::make_unique<NotedHeadstart>(diary_);
  }

  bool skipped_after_below = false;

 private:
  Level level_;
  Play play_;
  Diary& diary_;
};

class HeadstartTest : public testing::Test {
 protected:
  Reply climb(Play below, Play above, Headstarts headstarts, bool too_late = false,
              const StopFlag* stop = nullptr) {
    auto upper = std::make_unique<PlayingTier>(Level::L3, std::move(above), diary);
    upper->skipped_after_below = too_late;
    std::vector<std::unique_ptr<Tier>> tiers;
    tiers.push_back(std::make_unique<PlayingTier>(Level::L2, std::move(below), diary));
    tiers.push_back(std::move(upper));
    const DeclaredPolicy policy(reader, {});
    Cascade cascade(std::move(tiers), policy, clock, headstarts);
    Request request;
    request.messages = {{Role::User, "?"}};
    request.group = "code";
    const StopFlag never;
    Listener listener;
    return cascade.run(request, stop != nullptr ? *stop : never, listener);
  }

  Reader reader;
  StillClock clock;
  Diary diary;
  ClimbMemory climbs;
};

TEST_F(HeadstartTest, IsHandedToTheTierThatBegan) {
  const Reply reply = climb({}, {.answer = "0.9", .cached_tokens = 69},
                            {.climbs = &climbs, .always = true});
  EXPECT_EQ(diary.begun, 1);
  EXPECT_TRUE(diary.handed_over);
  EXPECT_FALSE(diary.cancelled_when_asked);
  EXPECT_TRUE(diary.cancelled);
  ASSERT_EQ(reply.trace.size(), 2u);
  EXPECT_FALSE(reply.trace[0].headstart);
  ASSERT_TRUE(reply.trace[1].headstart);
  EXPECT_TRUE(reply.trace[1].headstart->used);
  EXPECT_EQ(reply.trace[1].headstart->report.tokens, 70);
  EXPECT_THAT(reply.trace[1].reason,
              testing::EndsWith("; l3 had begun: loaded in 0.50 s, 70 tokens of the prompt, "
                                "2.00 s in all"));
}

TEST_F(HeadstartTest, IsCancelledWhereTheAnswerBelowIsKept) {
  const Reply reply = climb({.answer = "0.9"}, {}, {.climbs = &climbs, .always = true});
  EXPECT_TRUE(reply.sure);
  EXPECT_TRUE(diary.cancelled);
  EXPECT_FALSE(diary.handed_over);
  ASSERT_EQ(reply.trace.size(), 1u);
  ASSERT_TRUE(reply.trace[0].headstart);
  EXPECT_FALSE(reply.trace[0].headstart->used);
  EXPECT_EQ(reply.trace[0].headstart->level, Level::L3);
  EXPECT_THAT(reply.trace[0].reason, testing::EndsWith("for nothing"));
}

TEST_F(HeadstartTest, IsCancelledWhereTheUserStops) {
  const Reply reply = climb({.finish = Finish::Interrupted}, {},
                            {.climbs = &climbs, .always = true});
  EXPECT_TRUE(reply.interrupted);
  EXPECT_TRUE(diary.cancelled);
  EXPECT_EQ(climbs.share(Level::L2, "code").judged, 0);  // nothing to learn from
}

TEST_F(HeadstartTest, IsCancelledWhereTheUserStopsBetweenTheTiers) {
  StopFlag stop;
  const Reply reply = climb({.raises = &stop}, {}, {.climbs = &climbs, .always = true}, false,
                            &stop);
  ASSERT_EQ(reply.trace.size(), 2u);
  EXPECT_EQ(reply.trace[1].decision, Decision::Interrupt);
  EXPECT_FALSE(diary.handed_over);
  EXPECT_TRUE(diary.cancelled);
  ASSERT_TRUE(reply.trace[1].headstart);
  EXPECT_FALSE(reply.trace[1].headstart->used);
  EXPECT_EQ(reply.trace[1].headstart->report.tokens, 70);
}

TEST_F(HeadstartTest, ServesAfterADraftThatWasGivenUpOrFailed) {
  climb({.finish = Finish::Abandoned}, {.answer = "0.9"}, {.climbs = &climbs, .always = true});
  EXPECT_TRUE(diary.handed_over);
  diary = {};
  climb({.fails = true}, {.answer = "0.9"}, {.climbs = &climbs, .always = true});
  EXPECT_TRUE(diary.handed_over);
}

TEST_F(HeadstartTest, IsLetGoWhereItsTierIsNotAskedAfterAll) {
  const Reply reply = climb({}, {}, {.climbs = &climbs, .always = true}, true);
  EXPECT_EQ(diary.begun, 1);
  EXPECT_TRUE(diary.cancelled);
  EXPECT_EQ(reply.trace[1].decision, Decision::Skip);
  ASSERT_TRUE(reply.trace[1].headstart);
  EXPECT_FALSE(reply.trace[1].headstart->used);
}

TEST_F(HeadstartTest, OneThatSavedNothingIsNotCalledUsed) {
  diary.report = {.seconds = 1, .problem = "does not fit"};
  const Reply reply = climb({}, {.answer = "0.9"}, {.climbs = &climbs, .always = true});
  ASSERT_TRUE(reply.trace[1].headstart);
  EXPECT_FALSE(reply.trace[1].headstart->used);
  EXPECT_THAT(reply.trace[1].reason, testing::HasSubstr("then: does not fit, for nothing"));
}

TEST_F(HeadstartTest, WaitsForQuestionsThatClimbMoreOftenThanNot) {
  for (int i = 0; i < ClimbMemory::kJudgedMin; ++i) {
    climb({}, {.answer = "0.9"}, {.climbs = &climbs});
    EXPECT_EQ(diary.begun, 0) << i;
  }
  climb({}, {.answer = "0.9"}, {.climbs = &climbs});
  EXPECT_EQ(diary.begun, 1);
  for (int i = 0; i < ClimbMemory::kRemembered; ++i) {
    climb({.answer = "0.9"}, {}, {.climbs = &climbs});
  }
  diary = {};
  climb({}, {.answer = "0.9"}, {.climbs = &climbs});
  EXPECT_EQ(diary.begun, 0);
}

TEST_F(HeadstartTest, NothingIsBegunWhereItIsOffOrNobodyWouldBeAsked) {
  climb({}, {.answer = "0.9"}, {});
  EXPECT_EQ(diary.begun, 0);
  // The highest tier says that it writes, and nobody is above.
  climb({.says_writing = 0}, {.answer = "0.9"}, {.climbs = &climbs, .always = true});
  EXPECT_EQ(diary.begun, 0);
}

}  // namespace
}  // namespace tinyarms::cascade
