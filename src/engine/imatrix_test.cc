#include "engine/imatrix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/quantize.h"
#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using testing::TemporaryFolder;

class ImportanceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_tiny_model(folder_ / "tiny.gguf", {.layers = 2});
    auto model = LanguageModel::load(folder_ / "tiny.gguf");
    ASSERT_TRUE(model);
    model_ = std::move(*model);
    for (int i = 0; i < 40; ++i) text_ += "the heron waits. " + std::to_string(i * 37);
    auto matrix = measure_importance(*model_, text_, options_, stop_);
    ASSERT_TRUE(matrix) << matrix.error().message();
    matrix_ = std::move(*matrix);
  }

  TemporaryFolder folder_;
  std::unique_ptr<const LanguageModel> model_;
  std::string text_;
  ImportanceOptions options_{.chunk_tokens = 64, .chunks_max = 4, .threads = 1};
  StopFlag stop_;
  ImportanceMatrix matrix_;
};

TEST_F(ImportanceTest, HasEveryMatrixOfEveryLayer) {
  EXPECT_EQ(matrix_.columns.size(), 2u * 7);
  EXPECT_EQ(matrix_.chunks, 4u);
  ASSERT_TRUE(matrix_.columns.count("blk.1.ffn_down.weight"));
  EXPECT_EQ(matrix_.columns.at("blk.1.ffn_down.weight").size(), 96u);
  EXPECT_EQ(matrix_.columns.at("blk.0.attn_q.weight").size(), 64u);
  // Queries, keys and values see the same normalised input: mean square 1 over the columns.
  EXPECT_EQ(matrix_.columns.at("blk.0.attn_q.weight"), matrix_.columns.at("blk.0.attn_v.weight"));
  double mean = 0;
  for (const float square : matrix_.columns.at("blk.0.attn_q.weight")) mean += square / 64.0;
  EXPECT_NEAR(mean, 1, 0.01);
}

TEST_F(ImportanceTest, SurvivesItsFile) {
  ASSERT_TRUE(write_importance(matrix_, folder_ / "tiny.imatrix"));
  const auto read = read_importance(folder_ / "tiny.imatrix");
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->columns.size(), matrix_.columns.size());
  for (const auto& [name, columns] : matrix_.columns) {
    const auto& again = read->columns.at(name);
    ASSERT_EQ(again.size(), columns.size());
    for (size_t i = 0; i < columns.size(); ++i) {
      EXPECT_NEAR(again[i], columns[i], std::abs(columns[i]) * 1e-5f) << name;
    }
  }
}

TEST_F(ImportanceTest, ChangesWhatTheQuantiserWrites) {
  ASSERT_TRUE(quantize(folder_ / "tiny.gguf", folder_ / "plain.gguf", {.type = "q4_0"}));
  auto report = quantize(folder_ / "tiny.gguf", folder_ / "weighed.gguf",
                         {.type = "q4_0", .importance = &matrix_});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_NE(testing::read_bytes(folder_ / "plain.gguf"),
            testing::read_bytes(folder_ / "weighed.gguf"));
}

TEST_F(ImportanceTest, OfAnotherModelIsRefused) {
  matrix_.columns["blk.0.attn_q.weight"].resize(32, 1.0f);
  auto report = quantize(folder_ / "tiny.gguf", folder_ / "out.gguf",
                         {.type = "q4_0", .importance = &matrix_});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(folder_.files(), 1u);
}

TEST_F(ImportanceTest, BadFilesAreErrors) {
  EXPECT_EQ(read_importance(folder_ / "none").error().code, ErrorCode::NotFound);
  EXPECT_EQ(read_importance(folder_ / "tiny.gguf").error().code, ErrorCode::Corrupt);
  testing::write_bytes(folder_ / "bad", std::string(500, 'x'));
  EXPECT_EQ(read_importance(folder_ / "bad").error().code, ErrorCode::Corrupt);
  ImportanceMatrix wrong = matrix_;
  wrong.columns["blk.0.attn_q.weight"][3] = NAN;
  ASSERT_TRUE(write_importance(wrong, folder_ / "wrong"));
  EXPECT_EQ(read_importance(folder_ / "wrong").error().code, ErrorCode::Corrupt);
}

}  // namespace
}  // namespace tinyarms::engine
