#include "eval/embedding_task.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "eval/bench_test_support.h"

namespace tinyarms::eval {
namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// A text is the direction that its first letter names.
Result<Vectors> by_first_letter(std::span<const std::string> texts) {
  Vectors vectors;
  for (const std::string& text : texts) {
    std::vector<float> vector(26, 0);
    vector[static_cast<size_t>((text.empty() ? 'a' : text[0]) - 'a') % 26] = 1;
    vectors.push_back(std::move(vector));
  }
  return vectors;
}

TEST(Ranks, FiguresOfOneRightDocument) {
  EXPECT_DOUBLE_EQ(rank_figures(1).ndcg10, 1);
  EXPECT_DOUBLE_EQ(rank_figures(3).ndcg10, 0.5);  // 1 / log2(4)
  EXPECT_DOUBLE_EQ(rank_figures(4).mrr, 0.25);
  EXPECT_DOUBLE_EQ(rank_figures(10).recall10, 1);
  EXPECT_DOUBLE_EQ(rank_figures(11).ndcg10, 0);
  EXPECT_DOUBLE_EQ(rank_figures(6).recall5, 0);
}

TEST(Cosqa, RanksTheRightFunction) {
  testing::TemporaryFolder folder;
  write(folder / "d/cosqa/code_idx_map.txt", R"({"alpha": 0, "beta": 1, "gamma": 2})");
  write(folder / "d/cosqa/cosqa-retrieval-dev-500.json",
        R"([{"idx": "q1", "doc": "bread", "retrieval_idx": 1},
            {"idx": "q2", "doc": "zebra", "retrieval_idx": 0}])");
  auto measured = make_cosqa()->measure(folder / "d", 0, by_first_letter);
  ASSERT_TRUE(measured) << measured.error().message();
  ASSERT_EQ(measured->figures.size(), 5u);
  // The second query is as far from all three: the right one comes last.
  EXPECT_DOUBLE_EQ(measured->figures[1].value, (1 + 1.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(measured->figures[2].value, 0.5);
  EXPECT_EQ(measured->lines[1], R"({"id":"cosqa/q2","rank":3})");
}

TEST(Cosqa, BrokenDataIsTold) {
  testing::TemporaryFolder folder;
  const auto code = [&] {
    return make_cosqa()->measure(folder / "d", 0, by_first_letter).error().code;
  };
  EXPECT_EQ(code(), ErrorCode::NotFound);
  write(folder / "d/cosqa/code_idx_map.txt", R"({"alpha": 0, "beta": 7})");
  EXPECT_EQ(code(), ErrorCode::Corrupt);
  write(folder / "d/cosqa/code_idx_map.txt", R"({"alpha": 0})");
  write(folder / "d/cosqa/cosqa-retrieval-dev-500.json",
        R"([{"idx": "q1", "doc": "bread", "retrieval_idx": 1}])");
  EXPECT_EQ(code(), ErrorCode::Corrupt);
}

TEST(Intent, MeasuresTheBundledQuestions) {
  auto measured = make_intent()->measure({}, 12, by_first_letter);
  ASSERT_TRUE(measured) << measured.error().message();
  EXPECT_EQ(measured->figures[0].items, 12u);
  EXPECT_EQ(measured->lines.size(), 12u);
  EXPECT_LE(measured->figures[0].value, 1);
}

TEST(Intent, AnEncoderThatFailsIsNoZero) {
  const EmbedTexts broken = [](std::span<const std::string>) -> Result<Vectors> {
    return Error{ErrorCode::Internal, "the encoder failed", "", ""};
  };
  auto measured = make_intent()->measure({}, 0, broken);
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().code, ErrorCode::Internal);
}

}  // namespace
}  // namespace tinyarms::eval
