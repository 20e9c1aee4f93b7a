// Vectors of remembered questions by encoder.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <random>

#include "storage/answer_cache.h"
#include "storage/test_folder.h"

namespace tinyarms::storage {
namespace {

class AnswerVectorsTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }

  void open() {
    cache_.reset();
    database_.reset();
    auto opened = Database::open(path_, clock_);
    ASSERT_TRUE(opened) << opened.error().message();
    database_ = std::move(opened->database);
    cache_ = std::make_unique<AnswerCache>(*database_, clock_);
  }

  Binding by(const CacheEncoder& encoder) const { return {.hash = "b", .encoder = encoder}; }

  void put(const CacheEncoder& encoder, const std::string& question,
           const std::vector<float>& vector) {
    auto done = cache_->put(by(encoder),
                            {.question = question, .answer = "of " + question, .source = "m",
                             .level = "l2", .confidence = 1},
                            vector);
    ASSERT_TRUE(done) << done.error().message();
  }

  std::string similar(const CacheEncoder& encoder, const std::vector<float>& vector) {
    auto found = cache_->find_similar(by(encoder), vector, 0.9);
    EXPECT_TRUE(found) << found.error().message();
    return found && *found ? (*found)->entry.question : "";
  }

  std::string serving(const CacheEncoder& wanted) {
    auto found = cache_->serving_encoder(wanted.id);
    EXPECT_TRUE(found);
    return found && *found ? (*found)->name : "";
  }

  TestFolder folder_;
  std::filesystem::path path_ = folder_ / "c.sqlite";
  HandClock clock_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<AnswerCache> cache_;
  const CacheEncoder old_{.id = "o1", .name = "old"};
  const CacheEncoder new_{.id = "n1", .name = "new"};
};

TEST_F(AnswerVectorsTest, AnotherEncoderFindsTheSameWordsAndNothingByMeaning) {
  put(old_, "a", {1, 0});
  EXPECT_EQ(similar(old_, {1, 0}), "a");
  EXPECT_EQ(similar(new_, {1, 0}), "") << "of the same size, and of another space";
  EXPECT_EQ(similar(new_, {1, 0, 0}), "") << "of another size";
  auto exact = cache_->find_exact(by(new_), "a");
  ASSERT_TRUE(exact);
  EXPECT_TRUE(*exact);
}

TEST_F(AnswerVectorsTest, TheOldOneServesUntilTheNewOneIsComplete) {
  put(old_, "a", {1, 0});
  put(old_, "b", {0, 1});
  put(old_, "too long for any", {});
  EXPECT_EQ(serving(new_), "old");
  auto rest = cache_->without_vector("n1", 0, 10);
  ASSERT_TRUE(rest);
  ASSERT_EQ(rest->size(), 3U);
  EXPECT_EQ(rest->front().question, "a");
  const std::vector<std::vector<float>> vectors = {{0, 0, 2}, {0, 1, 0}, {}};
  const std::vector<int64_t> ids = {(*rest)[0].id, (*rest)[1].id, (*rest)[2].id};
  ASSERT_TRUE(cache_->add_vectors("n1", std::span(ids).first(1), std::span(vectors).first(1)));
  EXPECT_EQ(serving(new_), "old") << "half of it";
  EXPECT_EQ(cache_->vector_stats("n1")->without, 2U);
  ASSERT_TRUE(cache_->add_vectors("n1", std::span(ids).last(2), std::span(vectors).last(2)));
  const auto stats = cache_->vector_stats("n1");
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->with_vector, 2U);
  EXPECT_EQ(stats->without, 0U);
  EXPECT_EQ(stats->too_long, 1U);
  EXPECT_EQ(serving(new_), "old");
  ASSERT_TRUE(cache_->let_serve(new_));
  EXPECT_EQ(serving(new_), "new");
  EXPECT_EQ(serving(old_), "old") << "back at once";
  EXPECT_EQ(similar(new_, {0, 0, 1}), "a");
  EXPECT_EQ(similar(old_, {0, 1}), "b");
}

TEST_F(AnswerVectorsTest, AnOlderEntryThatGetsItsVectorLaterIsFound) {
  put(old_, "a", {1, 0});
  put(new_, "b", {0, 1});
  EXPECT_EQ(similar(new_, {0, 1}), "b");  // its matrix is in memory from here on
  auto other = Database::open(path_, clock_);
  ASSERT_TRUE(other);
  AnswerCache remaking(*other->database, clock_);
  auto rest = remaking.without_vector("n1", 0, 10);
  ASSERT_TRUE(rest);
  ASSERT_EQ(rest->size(), 1U);
  const std::vector<int64_t> ids = {rest->front().id};
  const std::vector<std::vector<float>> vectors = {{1, 0}};
  ASSERT_TRUE(remaking.add_vectors("n1", ids, vectors));
  EXPECT_EQ(similar(new_, {1, 0}), "a");
  EXPECT_EQ(similar(new_, {0, 1}), "b");
}

TEST_F(AnswerVectorsTest, VectorsGoWithTheirEntriesAndOldEncoders) {
  put(old_, "a", {1, 0});
  const auto vectors = [&] {
    auto row = database_->prepare("SELECT count(*) FROM vectors");
    EXPECT_TRUE(row && row->step());
    return row->integer(0);
  };
  ASSERT_TRUE(cache_->let_serve(new_));
  EXPECT_EQ(vectors(), 1);
  ASSERT_TRUE(cache_->let_serve({.id = "third", .name = "third"}));
  EXPECT_EQ(vectors(), 0) << "two encoders are kept";
  put(new_, "b", {1, 0});
  ASSERT_TRUE(cache_->clear());
  EXPECT_EQ(vectors(), 0);
}

TEST_F(AnswerVectorsTest, AVectorOfAnEntryThatIsGoneIsPassedOver) {
  const std::vector<int64_t> ids = {77};
  const std::vector<std::vector<float>> vectors = {{1, 0}};
  EXPECT_TRUE(cache_->add_vectors("n1", ids, vectors));
  EXPECT_FALSE(cache_->add_vectors("n1", ids, {}));
}

}  // namespace
}  // namespace tinyarms::storage
