#include "service/decision_book.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "service/judgement.h"
#include "service/user_files.h"
#include "storage/answer_cache.h"
#include "storage/database.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;
using cascade::Level;

class BookClock final : public Clock {
 public:
  double monotonic_seconds() const override { return 0; }
  double wall_seconds() const override { return 1000; }
};

// A question that L2 answered with that confidence.
cascade::Reply reply_at(double confidence) {
  cascade::Reply reply;
  cascade::Step step;
  step.level = Level::L2;
  step.decision = cascade::Decision::Accept;
  step.attempt.answered = true;
  step.attempt.source = "small";
  step.attempt.evidence.set(cascade::signal::kLogprobMean, std::log(confidence));
  step.attempt.evidence.set(cascade::signal::kFinished, true);
  step.confidence = confidence;
  step.threshold = 0.5;
  step.seconds = 2;
  reply.trace.push_back(step);
  reply.winner = 0;
  reply.sure = true;
  return reply;
}

class DecisionBookTest : public testing::Test {
 protected:
  DecisionBookTest() {
    folder_ = fs::temp_directory_path() / ("tinyarms-book-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    paths_.data_dir = folder_;
    request_.messages = {{cascade::Role::User, "why?"}};
  }
  ~DecisionBookTest() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  storage::LoggedDecision logged(const std::string& id) const {
    storage::LoggedDecision one{.id = id, .at = 10, .group = "code", .winner = 0, .sure = true};
    one.steps.push_back({.level = "l2", .verdict = "accept", .answered = true,
                         .confidence = 0.8, .threshold = 0.5, .evidence = "{}"});
    return one;
  }

  fs::path folder_;
  Paths paths_;
  BookClock clock_;
  cascade::Request request_;
  Settings settings_;
};

TEST_F(DecisionBookTest, WithoutALogThisProcessIsRemembered) {
  DecisionBook book(paths_, clock_);
  book.note(request_, reply_at(0.8), "first");
  book.note(request_, reply_at(0.3), "second");
  auto counted = book.counted(settings_);
  ASSERT_TRUE(counted);
  ASSERT_EQ((*counted)->size(), 2u);
  EXPECT_EQ((**counted)[0].id, "first");
  EXPECT_EQ((**counted)[0].at, 1000);
  EXPECT_FALSE(fs::exists(decision_log_path(paths_)));

  ASSERT_TRUE(book.judge(settings_, "second", false));
  counted = book.counted(settings_);
  EXPECT_EQ((**counted)[1].steps[0].good, false);
  EXPECT_EQ(book.judge(settings_, "third", true).error().code, ErrorCode::NotFound);
}

TEST_F(DecisionBookTest, ABadAnswerIsForgottenWhetherLoggedOrNot) {
  paths_.cache_dir = folder_;
  const storage::Binding binding{.hash = "0123456789abcdef"};
  const auto open = [&] { return storage::Database::open(answer_cache_path(paths_), clock_); };
  const auto remembered = [&](bool anew) {
    auto opened = open();
    storage::AnswerCache cache(*opened->database, clock_, answer_cache_options(settings_));
    storage::CachedAnswer answer;
    answer.question = "why?";
    answer.answer = "so";
    if (anew) {
      EXPECT_TRUE(cache.put(binding, answer, {}));
    }
    return cache.find_exact(binding, "why?")->has_value();
  };
  const std::string entry = storage::AnswerCache::name_of(binding, "why?");
  cascade::Step l1;
  l1.level = Level::L1;
  l1.attempt.evidence.set(cascade::signal::kCacheEntry, entry);

  DecisionBook book(paths_, clock_);
  cascade::Reply reply = reply_at(0.8);
  reply.trace.insert(reply.trace.begin(), l1);
  reply.winner = 1;
  book.note(request_, reply, "first");
  ASSERT_TRUE(remembered(true));
  EXPECT_EQ(book.judge(settings_, "first", true)->entry, "");
  ASSERT_TRUE(remembered(false));
  EXPECT_EQ(book.judge(settings_, "first", false)->entry, entry);
  EXPECT_FALSE(remembered(false));

  settings_.log.decisions = true;
  fs::remove(answer_cache_path(paths_));
  ASSERT_TRUE(remembered(true));
  storage::LoggedDecision one = logged("aaaa");
  one.steps.insert(one.steps.begin(),
                   {.level = "l1", .evidence = "{\"cache_entry\": \"" + entry + "\"}"});
  one.winner = 1;
  auto log = storage::DecisionLog::open(decision_log_path(paths_), clock_);
  ASSERT_TRUE((*log)->append(std::vector{one}));
  auto judged = book.judge(settings_, "aaaa", false);
  ASSERT_TRUE(judged) << judged.error().message();
  EXPECT_TRUE(judged->removed);
  EXPECT_FALSE(remembered(false));
}

TEST_F(DecisionBookTest, HoldsNoMoreThanItSays) {
  DecisionBook book(paths_, clock_);
  for (size_t i = 0; i < kRememberedMax + 3; ++i) {
    book.note(request_, reply_at(0.8), std::to_string(i));
  }
  auto counted = book.counted(settings_);
  ASSERT_TRUE(counted);
  EXPECT_EQ((*counted)->size(), kRememberedMax);
  EXPECT_EQ((**counted)[0].id, "3");
}

TEST_F(DecisionBookTest, OfALogOnlyWhatIsNewIsReadAndOutcomesAreSeen) {
  settings_.log.decisions = true;
  DecisionBook book(paths_, clock_);
  auto counted = book.counted(settings_);
  ASSERT_TRUE(counted) << "no log yet is no error";
  EXPECT_TRUE((*counted)->empty());

  auto log = storage::DecisionLog::open(decision_log_path(paths_), clock_);
  ASSERT_TRUE(log);
  ASSERT_TRUE((*log)->append(std::vector{logged("aaaa"), logged("bbbb")}));
  EXPECT_EQ((*book.counted(settings_))->size(), 2u);
  ASSERT_TRUE((*log)->append(std::vector{logged("cccc")}));
  counted = book.counted(settings_);
  ASSERT_EQ((*counted)->size(), 3u);
  EXPECT_EQ((**counted)[2].id, "cccc");
  ASSERT_TRUE(book.judge(settings_, "aaaa", true));
  counted = book.counted(settings_);
  ASSERT_EQ((*counted)->size(), 3u);
  EXPECT_EQ((**counted)[0].steps[0].good, true);
}

TEST_F(DecisionBookTest, WhatIfClimbsAgainAndMakesNothingUp) {
  DecisionBook book(paths_, clock_);
  book.note(request_, reply_at(0.9), "a");
  book.note(request_, reply_at(0.6), "b");
  auto same = book.what_if(settings_, {{Level::L2, 0.5}});
  ASSERT_TRUE(same);
  EXPECT_EQ(same->decisions, 2u);
  EXPECT_EQ(same->changed, 0u);
  EXPECT_EQ(same->given_before[2], 2u);
  EXPECT_EQ(same->given_after[2], 2u);
  auto strict = book.what_if(settings_, {{Level::L2, 0.8}});
  ASSERT_TRUE(strict);
  EXPECT_EQ(strict->beyond_log, 1u);
  EXPECT_EQ(strict->given_after[2], 1u);
}

}  // namespace
}  // namespace tinyarms::service
