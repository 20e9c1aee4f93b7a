#include "storage/answer_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <set>

#include "storage/test_folder.h"

namespace tinyarms::storage {
namespace {

using testing::HasSubstr;

std::vector<float> at_angle(double degrees) {
  const double radians = degrees * 3.14159265358979 / 180;
  return {static_cast<float>(std::cos(radians)), static_cast<float>(std::sin(radians))};
}

class AnswerCacheTest : public testing::Test {
 protected:
  void SetUp() override { open(); }

  void open(const AnswerCacheOptions& options = {}) {
    cache_.reset();
    database_.reset();
    auto opened = Database::open(path_, clock_);
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_EQ(opened->notice, "");
    database_ = std::move(opened->database);
    cache_ = std::make_unique<AnswerCache>(*database_, clock_, options);
  }

  static CachedAnswer entry_of(std::string question, std::string answer) {
    return {.question = std::move(question), .answer = std::move(answer), .source = "model",
            .level = "l2", .confidence = 0.75};
  }

  void put(const Binding& binding, std::string question, std::string answer,
           std::vector<float> embedding = {}) {
    auto done = cache_->put(binding, entry_of(std::move(question), std::move(answer)), embedding);
    ASSERT_TRUE(done) << done.error().message();
  }

  // The answer, or "" for a miss.
  std::string exact(const Binding& binding, std::string_view question) {
    auto found = cache_->find_exact(binding, question);
    EXPECT_TRUE(found) << found.error().message();
    return found && *found ? (*found)->answer : "";
  }
  std::string similar(const Binding& binding, const std::vector<float>& embedding, double least) {
    auto found = cache_->find_similar(binding, embedding, least);
    EXPECT_TRUE(found) << found.error().message();
    return found && *found ? (*found)->entry.answer : "";
  }

  TestFolder folder_;
  std::filesystem::path path_ = folder_ / "c.sqlite";
  HandClock clock_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<AnswerCache> cache_;
  const Binding binding_{"model/q4/greedy"};
};

TEST_F(AnswerCacheTest, FindsTheSameQuestionWithAllItsFacts) {
  clock_.now = 1'234'567'890.5;
  put(binding_, "Reverse a string.", "s[::-1]");
  open();
  auto found = cache_->find_exact(binding_, "  reverse a  string");
  ASSERT_TRUE(found);
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->question, "Reverse a string.");
  EXPECT_EQ((*found)->answer, "s[::-1]");
  EXPECT_EQ((*found)->source, "model");
  EXPECT_EQ((*found)->level, "l2");
  EXPECT_EQ((*found)->confidence, 0.75);
  EXPECT_EQ((*found)->created_at, 1'234'567'890.5);
  EXPECT_EQ(exact(binding_, "Reverse a list."), "");
}

TEST_F(AnswerCacheTest, TheSameQuestionReplaces) {
  put(binding_, "Reverse a string", "old", at_angle(0));
  put(binding_, "reverse a string.", "new", at_angle(90));
  EXPECT_EQ(exact(binding_, "reverse a string"), "new");
  EXPECT_EQ(similar(binding_, at_angle(0), 0.9), "");
  EXPECT_EQ(similar(binding_, at_angle(90), 0.9), "new");
  EXPECT_EQ(cache_->stats()->entries, 1U);
}

TEST_F(AnswerCacheTest, TheBestEntryAboveTheThresholdWins) {
  put(binding_, "at 0", "0", at_angle(0));
  put(binding_, "at 20", "20", at_angle(20));
  put(binding_, "at 60", "60", at_angle(60));
  put(binding_, "without embedding", "none");
  auto found = cache_->find_similar(binding_, at_angle(15), 0.95);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->entry.question, "at 20");
  EXPECT_NEAR((*found)->similarity, std::cos(5 * 3.14159265 / 180), 1e-6);
  EXPECT_EQ(similar(binding_, at_angle(40), 0.95), "");  // cos 20° = 0.9397
  EXPECT_EQ(similar(binding_, at_angle(40), 0.93), "60");  // the newer of two equally far
  // Length does not matter, and an entry reaches even a threshold of 1 with itself.
  EXPECT_EQ(similar(binding_, {0.002F, 0}, 1), "0");
}

TEST_F(AnswerCacheTest, BindingsNeverMix) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<std::set<int>> known(5);
  for (int round = 0; round < 300; ++round) {
    const size_t b = random() % known.size();
    const Binding binding{"binding " + std::to_string(b)};
    const int question = static_cast<int>(random() % 30);
    const std::string text = "question " + std::to_string(question);
    const std::string answer = binding.hash + " to " + std::to_string(question);
    if (random() % 3 == 0) {
      put(binding, text, answer, at_angle(question * 5));
      known[b].insert(question);
    }
    const std::string expected = known[b].count(question) != 0 ? answer : "";
    ASSERT_EQ(exact(binding, text), expected);
    // 2° apart at most: the neighbours are 5° away.
    ASSERT_EQ(similar(binding, at_angle(question * 5 + 2), 0.999), expected);
  }
}

TEST_F(AnswerCacheTest, ADimensionMismatchIsRefused) {
  put(binding_, "two", "2", at_angle(0));
  auto put3 = cache_->put(binding_, entry_of("three", "3"), std::vector<float>{1, 0, 0});
  ASSERT_FALSE(put3);
  EXPECT_EQ(put3.error().code, ErrorCode::InvalidArgument);
  EXPECT_THAT(put3.error().what, HasSubstr("3 dimensions"));
  EXPECT_EQ(exact(binding_, "three"), "");
  auto find3 = cache_->find_similar(binding_, std::vector<float>{1, 0, 0}, 0.9);
  ASSERT_FALSE(find3);
  EXPECT_EQ(find3.error().code, ErrorCode::InvalidArgument);
  const Binding other{.hash = binding_.hash, .encoder = {.id = "another", .name = "another"}};
  EXPECT_TRUE(cache_->put(other, entry_of("three", "3"), std::vector<float>{1, 0, 0}));
}

TEST_F(AnswerCacheTest, BadInputIsRefused) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto refused = [&](const CachedAnswer& entry, std::vector<float> embedding = {1, 0}) {
    auto done = cache_->put(binding_, entry, embedding);
    return done ? ErrorCode::Internal : done.error().code;
  };
  EXPECT_EQ(refused(entry_of("", "a")), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused(entry_of("q", "")), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused(entry_of("q", "\xFF")), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused(entry_of("q", std::string(10'000'000, 'a'))), ErrorCode::OverBudget);
  EXPECT_EQ(refused(entry_of("q", "a"), {0, 0}), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused(entry_of("q", "a"), {nan, 0}), ErrorCode::InvalidArgument);
  CachedAnswer odd = entry_of("q", "a");
  odd.confidence = nan;
  EXPECT_EQ(refused(odd), ErrorCode::InvalidArgument);
  EXPECT_FALSE(cache_->put({""}, entry_of("q", "a"), {}));
  EXPECT_FALSE(cache_->find_exact({std::string(1000, 'x')}, "q"));
  EXPECT_FALSE(cache_->find_similar(binding_, {}, 0.9));
  EXPECT_FALSE(cache_->find_similar(binding_, at_angle(0), nan));
  EXPECT_FALSE(cache_->find_similar(binding_, at_angle(0), 1.5));
  EXPECT_EQ(exact(binding_, std::string(10'000'000, '`')), "");
  EXPECT_EQ(cache_->stats()->entries, 0U);
}

TEST_F(AnswerCacheTest, NulAndQuotesSurvive) {
  const std::string answer("a\0b'; DROP TABLE answers; --", 27);
  put(binding_, "odd", answer);
  EXPECT_EQ(exact(binding_, "odd"), answer);
}

TEST_F(AnswerCacheTest, TheLeastRecentlyUsedGoesFirst) {
  open({.entries_max = 3});
  put(binding_, "one", "1", at_angle(0));
  put({"another"}, "two", "2", at_angle(30));
  put(binding_, "three", "3", at_angle(60));
  EXPECT_EQ(exact(binding_, "one"), "1");                       // used again
  EXPECT_EQ(similar({"another"}, at_angle(30), 0.99), "2");     // and so is this one
  put(binding_, "four", "4", at_angle(90));
  EXPECT_EQ(exact(binding_, "three"), "");
  EXPECT_EQ(similar(binding_, at_angle(60), 0.99), "");
  EXPECT_EQ(exact(binding_, "one"), "1");
  EXPECT_EQ(exact({"another"}, "two"), "2");
  EXPECT_EQ(cache_->stats()->entries, 3U);
  EXPECT_EQ(exact(binding_, "one"), "1");
  open({.entries_max = 3});  // uses outlive the process
  put(binding_, "more", "m");
  EXPECT_EQ(exact(binding_, "one"), "1");
  EXPECT_EQ(exact(binding_, "four"), "");
  open({.entries_max = 1});  // a smaller limit takes hold with the next entry
  put(binding_, "five", "5");
  EXPECT_EQ(cache_->stats()->entries, 1U);
  EXPECT_EQ(exact(binding_, "five"), "5");
}

TEST_F(AnswerCacheTest, ClearForgetsAllAndGivesSpaceBack) {
  for (int i = 0; i < 40; ++i) {
    put({"b" + std::to_string(i % 4)}, "q" + std::to_string(i), std::string(20'000, 'x'),
        at_angle(i));
  }
  const CacheStats full = *cache_->stats();
  EXPECT_EQ(full.entries, 40U);
  EXPECT_EQ(full.bindings, 4U);
  EXPECT_GT(full.bytes, 800'000U);
  EXPECT_EQ(*cache_->clear(), 40U);
  EXPECT_EQ(cache_->stats()->entries, 0U);
  EXPECT_LT(std::filesystem::file_size(path_), 100'000U);
  EXPECT_EQ(similar({"b0"}, at_angle(0), 0.5), "");
}

TEST_F(AnswerCacheTest, FollowsWhatAnotherConnectionDoes) {
  auto other = Database::open(path_, clock_);
  ASSERT_TRUE(other);
  AnswerCache others(*other->database, clock_);
  put(binding_, "mine", "mine", at_angle(0));
  EXPECT_EQ(similar(binding_, at_angle(0), 0.99), "mine");
  ASSERT_TRUE(others.put(binding_, entry_of("theirs", "theirs"), at_angle(45)));
  put(binding_, "mine too", "mine too", at_angle(90));
  EXPECT_EQ(similar(binding_, at_angle(45), 0.99), "theirs");
  EXPECT_EQ(similar(binding_, at_angle(90), 0.99), "mine too");
  ASSERT_TRUE(others.put(binding_, entry_of("mine", "theirs now"), at_angle(0)));
  EXPECT_EQ(similar(binding_, at_angle(0), 0.99), "theirs now");
  ASSERT_TRUE(others.clear());
  EXPECT_EQ(similar(binding_, at_angle(45), 0.5), "");
}

TEST_F(AnswerCacheTest, GarbledRowsArePassedOver) {
  put(binding_, "good", "good", at_angle(10));
  const auto ruin = [&](const std::string& change) {
    put(binding_, "bad", "bad", at_angle(0));
    const std::string rows = change.starts_with("vector")
                                 ? "vectors SET " + change + " WHERE answer = "
                                       "(SELECT id FROM answers WHERE question = 'bad')"
                                 : "answers SET " + change + " WHERE question = 'bad'";
    EXPECT_TRUE(database_->execute("UPDATE " + rows));
    open();
    EXPECT_EQ(similar(binding_, at_angle(0), 0.9), "good") << change;
    EXPECT_EQ(exact(binding_, "bad"), "") << change;
    EXPECT_EQ(cache_->stats()->entries, 1U) << change;  // and cleared away
  };
  ruin("vector = x'00'");
  ruin("vector = x'0000C07F0000C07F'");          // NaN
  ruin("vector = x'00000000000000000000803F'");  // three dimensions
  ruin("vector = x'0000004000000040'");          // not a unit vector
  ruin("answer = ''");
  ruin("answer = CAST(x'FF' AS TEXT)");
  ruin("confidence = 7");
  ruin("created_at = 9e999");
  EXPECT_EQ(exact(binding_, "good"), "good");
}

TEST_F(AnswerCacheTest, AMovedKeyDoesNotAnswerAnotherQuestion) {
  put(binding_, "what is two", "2");
  put(binding_, "what is three", "3");
  const std::string key_of_two = "(SELECT question_key FROM answers WHERE answer = '2')";
  ASSERT_TRUE(database_->execute("CREATE TEMP TABLE k AS SELECT " + key_of_two + " AS k;" +
                                 "DELETE FROM answers WHERE answer = '2';" +
                                 "UPDATE answers SET question_key = (SELECT k FROM k)"));
  EXPECT_EQ(exact(binding_, "what is two"), "");
}

TEST_F(AnswerCacheTest, AnAbsurdUseCounterDoesNotStopIt) {
  put(binding_, "one", "1");
  ASSERT_TRUE(database_->execute("UPDATE answers SET used = 9223372036854775807"));
  put(binding_, "two", "2");
  EXPECT_EQ(exact(binding_, "one"), "1");
  EXPECT_EQ(exact(binding_, "two"), "2");
}

}  // namespace
}  // namespace tinyarms::storage
