#include "eval/retrieval.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "eval/encoder_trial.h"

namespace tinyarms::eval {
namespace {

namespace fs = std::filesystem;
using Method = RetrievalRun::Method;
using ::testing::HasSubstr;

class RetrievalTest : public ::testing::Test {
 protected:
  RetrievalTest() {
    std::string pattern = (fs::temp_directory_path() / "retrieval-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    folder_ = pattern;
  }
  ~RetrievalTest() override { fs::remove_all(folder_); }

  void write(const char* name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }

  fs::path folder_;
};

// By the first letter.
Result<Vectors> embed(std::span<const std::string> texts) {
  Vectors vectors;
  for (const std::string& text : texts) {
    std::vector<float> vector(27, 0.0F);
    const char first = text.empty() ? '{' : text.front();
    vector[first >= 'a' && first <= 'z' ? static_cast<size_t>(first - 'a') : 26] = 1;
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

TEST_F(RetrievalTest, RanksByWordsVectorsAndBoth) {
  write("corpus.jsonl",
        "{\"id\": \"x\", \"text\": \"apples grow on trees\"}\n"
        "{\"id\": 7, \"text\": \"bananas are yellow\"}\n"
        "{\"id\": \"z\", \"text\": \"cherries and apples\"}\n");
  write("queries.jsonl",
        "{\"id\": \"q\", \"text\": \"bananas with apples\", \"relevant\": [7]}\n"
        "{\"id\": \"r\", \"text\": \"cherries\", \"relevant\": [\"z\", \"x\"], "
        "\"split\": \"dev\"}\n");
  auto set = read_retrieval_set(folder_);
  ASSERT_TRUE(set) << set.error().message();
  EXPECT_EQ(set->queries[1].split, "dev");
  auto run = RetrievalRun::open(*set, embed);
  ASSERT_TRUE(run) << run.error().message();
  EXPECT_EQ(run->ranking(0, Method::Bm25).front(), 1U);
  EXPECT_EQ(run->ranking(0, Method::Cosine).front(), 1U);
  EXPECT_EQ(run->ranking(0, Method::Hybrid).front(), 1U);
  EXPECT_EQ(run->ranking(1, Method::Hybrid).front(), 2U);
}

TEST_F(RetrievalTest, TellsWhereASetIsWrong) {
  write("corpus.jsonl", "{\"id\": \"x\", \"text\": \"a\"}\n{\"id\": \"x\", \"text\": \"b\"}\n");
  write("queries.jsonl", "");
  auto twice = read_retrieval_set(folder_);
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message(), HasSubstr("corpus.jsonl:2"));
  write("corpus.jsonl", "{\"id\": \"x\", \"text\": \"a\"}\n");
  write("queries.jsonl", "{\"id\": \"q\", \"text\": \"a\", \"relevant\": [\"nope\"]}\n");
  auto unknown = read_retrieval_set(folder_);
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message(), HasSubstr("nope"));
  write("queries.jsonl", "[1, 2]\n");
  EXPECT_FALSE(read_retrieval_set(folder_));
  fs::remove(folder_ / "corpus.jsonl");
  EXPECT_FALSE(read_retrieval_set(folder_));
}

TEST_F(RetrievalTest, AnEmptySetHasNoFigures) {
  write("corpus.jsonl", "");
  write("queries.jsonl", "");
  auto measured = make_retrieval()->measure(folder_, 0, embed);
  ASSERT_TRUE(measured) << measured.error().message();
  EXPECT_TRUE(measured->lines.empty());
}

TEST(RetrievalFigures, AreThoseOfTheLiterature) {
  const RetrievalFigures second = retrieval_figures({5, 3, 1}, {3});
  EXPECT_DOUBLE_EQ(second.ndcg10, 1 / std::log2(3.0));
  EXPECT_DOUBLE_EQ(second.mrr, 0.5);
  EXPECT_DOUBLE_EQ(second.recall10, 1);
  const RetrievalFigures two = retrieval_figures({3, 9, 4}, {3, 4});
  EXPECT_DOUBLE_EQ(two.ndcg10, (1 + 0.5) / (1 + 1 / std::log2(3.0)));
  std::vector<size_t> late(20);
  for (size_t i = 0; i < late.size(); ++i) late[i] = i;
  EXPECT_DOUBLE_EQ(retrieval_figures(late, {15}).ndcg10, 0);
  EXPECT_DOUBLE_EQ(retrieval_figures(late, {15}).mrr, 1.0 / 16);
  EXPECT_DOUBLE_EQ(retrieval_figures({}, {15}).mrr, 0);
}

TEST_F(RetrievalTest, OfTwoEncodersTheOneThatFindsMoreWins) {
  std::string corpus;
  std::string queries;
  for (int i = 0; i < 26; ++i) {
    // No word in common, so that vectors decide.
    corpus += fmt::format("{{\"id\": {}, \"text\": \"{}x{}\"}}\n", i, char('a' + i), i);
    queries += fmt::format("{{\"id\": {}, \"text\": \"{}y{}\", \"relevant\": [{}]}}\n", i,
                           char('a' + i), i, i);
  }
  write("corpus.jsonl", corpus);
  write("queries.jsonl", queries);
  auto set = read_retrieval_set(folder_);
  ASSERT_TRUE(set) << set.error().message();
  // Sees half of the letters as one.
  const EmbedTexts blurred = [](std::span<const std::string> texts) {
    std::vector<std::string> few;
    for (const std::string& text : texts) few.push_back(text.front() < 'n' ? text : "z");
    return embed(few);
  };
  auto good = measure_encoder(*set, embed, {});
  auto bad = measure_encoder(*set, blurred, {});
  ASSERT_TRUE(good && bad);
  EXPECT_EQ(good->texts, 52U);
  const EncoderComparison outcome = compare_encoders(*bad, *good);
  EXPECT_EQ(outcome.task.paired.items, 26U);
  EXPECT_DOUBLE_EQ(outcome.task.paired.second, 1);
  EXPECT_EQ(outcome.task.paired.only_first, 0U);
  EXPECT_EQ(outcome.task.paired.only_second, 10U) << "three of the thirteen are first by chance";
  EXPECT_GT(outcome.ndcg10.interval.low, 0);
  Trial trial;
  trial.all = outcome.task;
  EXPECT_EQ(judge_trial(trial, 0).finding, TrialFinding::Better);
  thin_queries(*set, 5);
  ASSERT_EQ(set->queries.size(), 5U);
  EXPECT_EQ(set->queries[4].id, "20");
}

}  // namespace
}  // namespace tinyarms::eval
