#include "storage/decision_log.h"

#include <gtest/gtest.h>

#include <thread>

#include "storage/decision_log_writer.h"
#include "storage/test_folder.h"

namespace tinyarms::storage {
namespace {

LoggedDecision decision(const std::string& id, const std::string& certificate = "") {
  LoggedDecision logged{.id = id, .at = 12, .question_sha = "abc", .question_bytes = 7,
                        .group = "code", .policy = "p1", .winner = 1, .sure = true};
  logged.steps.push_back({.level = "l2", .verdict = "escalate", .answered = true,
                          .confidence = 0.3, .threshold = 0.6, .propensity = 0.98,
                          .evidence = "{\"margin_mean\":0.5}"});
  logged.steps.push_back({.level = "l3", .verdict = "accept", .answered = true, .source = "big",
                          .model = "m", .quantization = "q", .engine = "e", .sampler = "greedy",
                          .confidence = 0.9, .calibrated = true, .certificate = certificate,
                          .threshold = 0.6, .seconds = 2.5, .tokens = 41, .evidence = "{}"});
  return logged;
}

std::vector<LoggedDecision> read_all(DecisionLog& log) {
  std::vector<LoggedDecision> all;
  auto read = log.read([&](const LoggedDecision& one) -> Result<void> {
    all.push_back(one);
    return {};
  });
  EXPECT_TRUE(read);
  return all;
}

class DecisionLogTest : public testing::Test {
 protected:
  std::unique_ptr<DecisionLog> open(const DecisionLogOptions& options = {}) {
    auto log = DecisionLog::open(folder_ / "log.sqlite", clock_, options);
    EXPECT_TRUE(log) << log.error().message();
    return std::move(*log);
  }

  TestFolder folder_;
  HandClock clock_;
};

TEST_F(DecisionLogTest, WhatIsWrittenIsReadBack) {
  auto log = open();
  ASSERT_TRUE(log->append(std::vector{decision("aaaa1"), decision("bbbb2")}));
  const auto all = read_all(*log);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].id, "aaaa1");
  EXPECT_EQ(all[0].question_bytes, 7);
  EXPECT_EQ(all[0].question, "");
  EXPECT_EQ(all[0].group, "code");
  EXPECT_EQ(all[0].winner, 1);
  EXPECT_TRUE(all[0].sure);
  ASSERT_EQ(all[0].steps.size(), 2u);
  EXPECT_EQ(all[0].steps[0].confidence, 0.3);
  EXPECT_EQ(all[0].steps[0].propensity, 0.98);
  EXPECT_EQ(all[0].steps[0].evidence, "{\"margin_mean\":0.5}");
  EXPECT_EQ(all[0].steps[1].sampler, "greedy");
  EXPECT_EQ(all[0].steps[1].tokens, 41);
  EXPECT_EQ(all[0].steps[1].good, std::nullopt);
}

TEST_F(DecisionLogTest, TheNewestComeFirstAndOneMayBeNamed) {
  auto log = open();
  ASSERT_TRUE(log->append(
      std::vector{decision("aaaa1"), decision("bbbb2"), decision("cccc3")}));
  const auto two = log->newest(2);
  ASSERT_TRUE(two);
  ASSERT_EQ(two->size(), 2u);
  EXPECT_EQ((*two)[0].id, "cccc3");
  EXPECT_EQ((*two)[1].steps.size(), 2u);
  EXPECT_EQ(log->newest(1, "aaaa1")->at(0).id, "aaaa1");
  EXPECT_TRUE(log->newest(1, "none")->empty());
}

TEST_F(DecisionLogTest, ReadsARangeAndSaysHowFarItHasCome) {
  auto log = open();
  EXPECT_EQ(*log->mark(), (LogMark{0, 0}));
  std::vector<LoggedDecision> five;
  for (int i = 0; i < 5; ++i) {
    five.push_back(decision("aaaa" + std::to_string(i)));
    five.back().at = 10.0 * i;
  }
  ASSERT_TRUE(log->append(five));
  const auto ids = [&](const LogRange& range) {
    std::string all;
    auto read = log->read(
        [&](const LoggedDecision& one) -> Result<void> {
          all += one.id.back();
          return {};
        },
        range);
    EXPECT_TRUE(read);
    return all;
  };
  EXPECT_EQ(ids({}), "01234");
  EXPECT_EQ(ids({.after = 3}), "34");
  EXPECT_EQ(ids({.after = 1, .up_to = 3}), "12");
  EXPECT_EQ(ids({.since = 20}), "234");
  EXPECT_EQ(ids({.newest = 2}), "34");
  EXPECT_EQ(ids({.since = 15, .newest = 4}), "234");
  ASSERT_TRUE(log->add_outcome("aaaa0", true, "feedback"));
  EXPECT_EQ(*log->mark(), (LogMark{5, 1}));
}

TEST_F(DecisionLogTest, TheNewestOutcomeOfAReplyCounts) {
  auto log = open();
  ASSERT_TRUE(log->append(std::vector{decision("aaaa1")}));
  ASSERT_TRUE(log->add_outcome("aaaa1", true, "feedback"));
  EXPECT_EQ(read_all(*log)[0].steps[1].good, true);
  ASSERT_TRUE(log->add_outcome("aaaa1", false, "tests"));
  EXPECT_EQ(read_all(*log)[0].steps[1].good, false);
  EXPECT_EQ(read_all(*log)[0].steps[0].good, std::nullopt);
  EXPECT_EQ(log->add_outcome("nobody", true, "x").error().code, ErrorCode::NotFound);
  LoggedDecision silent = decision("cccc3");
  silent.winner = -1;
  ASSERT_TRUE(log->append(std::vector{silent}));
  EXPECT_EQ(log->add_outcome("cccc3", true, "x").error().code, ErrorCode::InvalidArgument);
}

TEST_F(DecisionLogTest, IdsAreFoundByTheirBeginning) {
  auto log = open();
  EXPECT_EQ(log->resolve("last").error().code, ErrorCode::NotFound);
  ASSERT_TRUE(log->append(std::vector{decision("aaaa1"), decision("aaaa2"), decision("bbbb3")}));
  EXPECT_EQ(*log->resolve("last"), "bbbb3");
  EXPECT_EQ(*log->resolve("aaaa1"), "aaaa1");
  EXPECT_EQ(*log->resolve("bbbb"), "bbbb3");
  EXPECT_EQ(log->resolve("aaaa").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(log->resolve("bbb").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(log->resolve("%%%%").error().code, ErrorCode::NotFound);
}

TEST_F(DecisionLogTest, ADecisionIsFoundByTheIdOfItsRequest) {
  const auto log = open();
  LoggedDecision asked = decision("aaaa1");
  asked.request = "req_1";
  LoggedDecision unasked = decision("bbbb2");
  ASSERT_TRUE(log->append(std::vector{asked, unasked}));
  EXPECT_EQ(*log->resolve("req_1"), "aaaa1");
  EXPECT_EQ((*log->newest(1, "aaaa1"))[0].request, "req_1");
  EXPECT_EQ(log->resolve("req_").error().code, ErrorCode::NotFound);
  asked.id = "cccc3";  // another choice of the same request
  ASSERT_TRUE(log->append(std::vector{asked}));
  EXPECT_EQ(log->resolve("req_1").error().code, ErrorCode::InvalidArgument);
  asked.id = "dddd4";
  asked.request = "bbbb2";
  ASSERT_TRUE(log->append(std::vector{asked}));
  EXPECT_EQ(*log->resolve("bbbb2"), "bbbb2");
}

TEST_F(DecisionLogTest, OutcomesUnderACertificateComeInOrderAndOnce) {
  auto log = open();
  ASSERT_TRUE(log->append(std::vector{decision("aaaa1", "c1"), decision("bbbb2", "c1"),
                                      decision("cccc3", "c2"), decision("dddd4")}));
  for (const char* id : {"bbbb2", "aaaa1", "cccc3", "dddd4"}) {
    ASSERT_TRUE(log->add_outcome(id, true, "feedback"));
  }
  ASSERT_TRUE(log->add_outcome("bbbb2", false, "feedback"));  // corrected
  const auto outcomes = log->certified_outcomes("c1");
  ASSERT_TRUE(outcomes);
  ASSERT_EQ(outcomes->size(), 2u);
  EXPECT_EQ((*outcomes)[0].id, "bbbb2");
  EXPECT_FALSE((*outcomes)[0].good);
  EXPECT_TRUE((*outcomes)[1].good);
}

TEST_F(DecisionLogTest, AnAppendIsWholeOrNotThere) {
  auto log = open();
  ASSERT_TRUE(log->append(std::vector{decision("aaaa1")}));
  EXPECT_FALSE(log->append(std::vector{decision("bbbb2"), decision("aaaa1")}));
  EXPECT_FALSE(log->append(std::vector{decision("")}));
  EXPECT_EQ(read_all(*log).size(), 1u);
}

TEST_F(DecisionLogTest, TheOldestGoFirst) {
  auto log = open({.decisions_max = 3});
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(log->append(std::vector{decision("id-" + std::to_string(i))}));
  }
  const auto all = read_all(*log);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].id, "id-4");
}

TEST_F(DecisionLogTest, WhatIsTooOldGoesWithItsOutcomesAndItsBytes) {
  const std::string secret = "a question that nobody is to find again";
  auto log = open({.seconds_max = 100});
  LoggedDecision old = decision("aaaa1", "hash");
  old.at = clock_.now - 99;
  old.question = secret;
  LoggedDecision young = decision("bbbb2", "hash");
  young.at = clock_.now;
  ASSERT_TRUE(log->append(std::vector{old, young}));
  ASSERT_TRUE(log->add_outcome("aaaa1", true, "feedback"));
  EXPECT_EQ(read_all(*log).size(), 2u);
  clock_.now += 2;
  ASSERT_TRUE(log->tidy());
  ASSERT_EQ(read_all(*log).size(), 1u);
  EXPECT_EQ(read_all(*log)[0].id, "bbbb2");
  EXPECT_TRUE(log->certified_outcomes("hash")->empty());
  log.reset();  // writes the pages back
  EXPECT_EQ(read_bytes(folder_ / "log.sqlite").find(secret), std::string::npos);
}

TEST_F(DecisionLogTest, AnAppendLetsGoWhatIsTooOld) {
  auto log = open({.seconds_max = 100});
  LoggedDecision old = decision("aaaa1");
  old.at = clock_.now - 101;
  LoggedDecision young = decision("bbbb2");
  young.at = clock_.now;
  ASSERT_TRUE(log->append(std::vector{old, young}));
  ASSERT_EQ(read_all(*log).size(), 1u);
  EXPECT_EQ(read_all(*log)[0].id, "bbbb2");
}

TEST_F(DecisionLogTest, TheWriterLetsGoWhileNothingIsAdded) {
  LoggedDecision old = decision("aaaa1");
  old.at = clock_.now - 101;
  ASSERT_TRUE(open()->append(std::vector{old}));
  DecisionLogWriter writer(folder_ / "log.sqlite", clock_, {.seconds_max = 100},
                           std::chrono::milliseconds(1));
  auto log = open();
  while (!read_all(*log).empty()) std::this_thread::yield();  // else the test never ends
  EXPECT_FALSE(writer.problem());
}

TEST_F(DecisionLogTest, AFileTheUserNamedIsNeverTouchedUnlessItIsALog) {
  EXPECT_EQ(DecisionLog::open_existing(folder_ / "none", clock_).error().code,
            ErrorCode::NotFound);
  write_bytes(folder_ / "text", "my own text");
  EXPECT_EQ(DecisionLog::open_existing(folder_ / "text", clock_).error().code,
            ErrorCode::Unsupported);
  EXPECT_EQ(read_bytes(folder_ / "text"), "my own text");
  { auto cache = Database::open(folder_ / "answers", clock_); ASSERT_TRUE(cache); }
  const auto names = folder_.names_like("answers");
  EXPECT_EQ(DecisionLog::open_existing(folder_ / "answers", clock_).error().code,
            ErrorCode::Unsupported);
  EXPECT_EQ(folder_.names_like("answers"), names);
  open();
  EXPECT_TRUE(DecisionLog::open_existing(folder_ / "log.sqlite", clock_));
}

TEST_F(DecisionLogTest, TheWriterLosesNothingThatItTook) {
  {
    DecisionLogWriter writer(folder_ / "log.sqlite", clock_);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 200; ++i) {
          EXPECT_TRUE(writer.add(decision(std::to_string(t) + "-" + std::to_string(i))));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    writer.flush();
    EXPECT_EQ(read_all(*open()).size(), 800u);
    EXPECT_TRUE(writer.add(decision("afterwards")));
    EXPECT_FALSE(writer.problem());
  }
  EXPECT_EQ(read_all(*open()).size(), 801u);
}

TEST_F(DecisionLogTest, TheWriterSaysWhyItCannotWrite) {
  write_bytes(folder_ / "file", "x");
  DecisionLogWriter writer(folder_ / "file" / "log.sqlite", clock_);
  EXPECT_TRUE(writer.add(decision("aaaa1")));
  writer.flush();
  ASSERT_TRUE(writer.problem());
}

TEST_F(DecisionLogTest, ASecondLookIsTakenOnceAndItsTextGoes) {
  auto log = open();
  LoggedDecision first = decision("aaaa1", "hash");
  first.shadow = "texts";
  ASSERT_TRUE(log->append(std::vector{decision("zzzz0"), first, decision("bbbb2")}));
  EXPECT_EQ(*log->shadows_waiting(), 1);
  auto waiting = log->oldest_shadow();
  ASSERT_TRUE(waiting);
  ASSERT_TRUE(*waiting);
  EXPECT_EQ((*waiting)->id, "aaaa1");
  EXPECT_EQ((*waiting)->text, "texts");
  ASSERT_TRUE(log->settle_shadow("aaaa1", false));
  EXPECT_EQ(*log->shadows_waiting(), 0);
  EXPECT_FALSE(*log->oldest_shadow());
  EXPECT_EQ(log->certified_outcomes("hash")->size(), 1u);
  EXPECT_FALSE(log->certified_outcomes("hash")->front().good);
  // What could not be decided is no outcome.
  LoggedDecision other = decision("cccc3", "hash");
  other.shadow = "more";
  ASSERT_TRUE(log->append(std::vector{other}));
  ASSERT_TRUE(log->settle_shadow("cccc3", std::nullopt));
  EXPECT_EQ(*log->shadows_waiting(), 0);
  EXPECT_EQ(log->certified_outcomes("hash")->size(), 1u);
}

}  // namespace
}  // namespace tinyarms::storage
