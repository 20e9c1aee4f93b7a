// Age, size, rejection and listing of remembered answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "storage/answer_cache.h"
#include "storage/test_folder.h"

namespace tinyarms::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AnswerUpkeep : public testing::Test {
 protected:
  void SetUp() override { open(); }

  void open(const AnswerCacheOptions& options = {}) {
    cache_.reset();
    database_.reset();
    auto opened = Database::open(folder_ / "c.sqlite", clock_);
    ASSERT_TRUE(opened) << opened.error().message();
    database_ = std::move(opened->database);
    cache_ = std::make_unique<AnswerCache>(*database_, clock_, options);
  }

  void put(const Binding& binding, const std::string& question, const std::string& answer,
           float angle = 0) {
    auto done = cache_->put(binding, {.question = question, .answer = answer, .source = "m",
                                      .level = "l2", .confidence = 0.5},
                            std::vector<float>{1, angle});
    ASSERT_TRUE(done) << done.error().message();
  }

  std::string exact(const Binding& binding, std::string_view question) {
    auto found = cache_->find_exact(binding, question);
    EXPECT_TRUE(found) << found.error().message();
    return found && *found ? (*found)->answer : "";
  }

  std::string similar(const Binding& binding, float angle) {
    auto found = cache_->find_similar(binding, std::vector<float>{1, angle}, 0.9);
    EXPECT_TRUE(found) << found.error().message();
    return found && *found ? (*found)->entry.answer : "";
  }

  std::vector<std::string> listed() {
    std::vector<std::string> questions;
    auto done = cache_->each([&](const CacheEntry& entry) -> Result<void> {
      questions.push_back(entry.answer.question);
      return {};
    });
    EXPECT_TRUE(done);
    return questions;
  }

  TestFolder folder_;
  HandClock clock_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<AnswerCache> cache_;
  const Binding ours_{.hash = "a", .user = "u", .project = "/p", .state = "s", .sampling = "g"};
  const Binding later_{.hash = "b", .user = "u", .project = "/p", .state = "t", .sampling = "g"};
  const Binding theirs_{.hash = "c", .user = "v", .project = "/p", .state = "s", .sampling = "g"};
};

TEST_F(AnswerUpkeep, WhatIsTooOldIsNotGivenAgain) {
  open({.seconds_max = 100});
  put(ours_, "old", "1");
  clock_.now += 60;
  put(ours_, "young", "2", 0.1F);
  EXPECT_EQ(exact(ours_, "old"), "1");
  EXPECT_EQ(similar(ours_, 0), "1");
  clock_.now += 60;
  EXPECT_EQ(cache_->stats()->expired, 1U);
  EXPECT_EQ(similar(ours_, 0), "2") << "the nearest is too old, the next is not";
  EXPECT_EQ(exact(ours_, "old"), "");
  clock_.now += 60;
  EXPECT_EQ(exact(ours_, "young"), "");
  EXPECT_EQ(similar(ours_, 0), "");
  EXPECT_EQ(cache_->stats()->entries, 0U);
  put(ours_, "new", "3");
  clock_.now -= 1000;  // a clock set back makes nothing old
  EXPECT_EQ(exact(ours_, "new"), "3");
}

TEST_F(AnswerUpkeep, WhatAgedInOneBindingHidesNothingInAnother) {
  open({.seconds_max = 100});
  put(ours_, "old", "1");
  for (int i = 0; i < 12; ++i) {
    put(theirs_, "old " + std::to_string(i), "1", 0.001F * static_cast<float>(i));
  }
  clock_.now += 60;
  put(theirs_, "young", "2", 0.05F);
  EXPECT_EQ(similar(ours_, 0), "1");
  EXPECT_EQ(similar(theirs_, 0), "1");
  clock_.now += 60;
  EXPECT_EQ(similar(ours_, 0), "") << "removes what is old, theirs as well";
  EXPECT_EQ(similar(theirs_, 0), "2");
}

TEST_F(AnswerUpkeep, TheLeastUsedGoFirstWhereItIsTooMuch) {
  open({.bytes_max = 3500});
  for (const char* question : {"one", "two", "three"}) put(ours_, question, std::string(1000, 'x'));
  EXPECT_NE(exact(ours_, "one"), "");
  put(ours_, "four", std::string(1000, 'x'));
  EXPECT_THAT(listed(), ElementsAre("one", "three", "four"));
  EXPECT_LE(cache_->stats()->answer_bytes, 3500U);
  put(ours_, "five", std::string(3000, 'x'));
  EXPECT_THAT(listed(), ElementsAre("five"));
  auto refused = cache_->put(ours_, {.question = "six", .answer = std::string(4000, 'x'),
                                     .source = "m", .level = "l2", .confidence = 0.5},
                             {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OverBudget);
  EXPECT_THAT(listed(), ElementsAre("five"));
}

TEST_F(AnswerUpkeep, ARejectedAnswerNeverComesBack) {
  put(ours_, "two and two", "five");
  put(later_, "Two and two?", "five");
  put(theirs_, "two and two", "five");
  put(later_, "three and three", "five", 1);
  EXPECT_EQ(similar(ours_, 0.1F), "five");
  ASSERT_EQ(cache_->reject(AnswerCache::name_of(ours_, "two and two")).value(), true);
  EXPECT_EQ(exact(ours_, "two and two"), "");
  EXPECT_EQ(similar(ours_, 0.1F), "");
  EXPECT_EQ(exact(later_, "two and two"), "") << "the same answer in another state";
  EXPECT_EQ(exact(theirs_, "two and two"), "five") << "another user's judgement is their own";
  EXPECT_EQ(exact(later_, "three and three"), "five") << "an answer to another question";
  put(ours_, "two and two", "five");
  put(ours_, "two and two", "four");  // who was wrong here is asked anew each time
  put(later_, "two and two", "five");
  EXPECT_EQ(exact(ours_, "two and two"), "");
  EXPECT_EQ(exact(later_, "two and two"), "");
  put(later_, "two and two", "four");
  EXPECT_EQ(exact(later_, "two and two"), "four");
  ASSERT_TRUE(cache_->clear());
  open();
  put(ours_, "two and two", "five");
  EXPECT_EQ(exact(ours_, "two and two"), "") << "forgetting answers keeps the rejections";
}

TEST_F(AnswerUpkeep, WhatIsGoneCanStillBeRejected) {
  const std::string name = AnswerCache::name_of(ours_, "q");
  EXPECT_EQ(cache_->reject(name).value(), false);
  put(ours_, "q", "a");
  EXPECT_EQ(exact(ours_, "q"), "");
}

TEST_F(AnswerUpkeep, EntriesAreNamedListedAndRemoved) {
  put(ours_, "one", "1");
  put(theirs_, "one", "2");
  std::vector<CacheEntry> entries;
  ASSERT_TRUE(cache_->each([&](const CacheEntry& entry) -> Result<void> {
    entries.push_back(entry);
    return {};
  }));
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].binding.project, "/p");
  EXPECT_EQ(entries[1].binding.user, "v");
  EXPECT_EQ(entries[0].answer.name, AnswerCache::name_of(ours_, "one"));
  EXPECT_NE(entries[0].answer.name, entries[1].answer.name);
  EXPECT_EQ(cache_->resolve(entries[0].answer.name.substr(0, 8)).value(), entries[0].answer.name);
  EXPECT_EQ(cache_->resolve("abc").error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(cache_->resolve("not a name").error().code, ErrorCode::NotFound);
  EXPECT_EQ(cache_->remove(entries[0].answer.name).value(), true);
  EXPECT_EQ(cache_->remove(entries[0].answer.name).value(), false);
  EXPECT_EQ(exact(ours_, "one"), "");
  EXPECT_EQ(similar(ours_, 0), "");
  EXPECT_EQ(exact(theirs_, "one"), "2");
  put(ours_, "one", "3");
  EXPECT_EQ(exact(ours_, "one"), "3") << "removed is not rejected";
}

TEST_F(AnswerUpkeep, AHostileSizeDoesNotStopIt) {
  put(ours_, "one", "1");
  ASSERT_TRUE(database_->execute("UPDATE answers SET bytes = 9223372036854775807"));
  put(ours_, "two", "2");
  EXPECT_EQ(exact(ours_, "two"), "2");
  EXPECT_THAT(listed(), ElementsAre("two"));
  ASSERT_TRUE(cache_->remove(AnswerCache::name_of(ours_, "two")));
  EXPECT_THAT(listed(), IsEmpty());
}

}  // namespace
}  // namespace tinyarms::storage
