#include "encoder/model_manners.h"

#include <gtest/gtest.h>

namespace tinyarms::encoder {
namespace {

TEST(Shorten, KeepsTheFrontAtLengthOne) {
  std::vector<float> unit = {0.6f, 0.0f, 0.8f};
  ASSERT_TRUE(shorten(unit, 2));
  EXPECT_EQ(unit, std::vector<float>({1.0f, 0.0f}));
}

TEST(Shorten, RefusesSizesThatAreNotThere) {
  std::vector<float> unit = {1.0f, 0.0f};
  for (const size_t size : {size_t{0}, size_t{3}}) {
    auto refused = shorten(unit, size);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
  }
  std::vector<float> empty_front = {0.0f, 1.0f};
  EXPECT_FALSE(shorten(empty_front, 1));
  EXPECT_EQ(empty_front.size(), 2u);
}

TEST(Manners, OfEmbeddingGemmaAndOfOthers) {
  engine::ModelFacts gemma;
  gemma.architecture = "gemma-embedding";
  gemma.embedding_width = 768;
  engine::ModelFacts bert;
  bert.architecture = "bert";
  bert.embedding_width = 384;
  EXPECT_EQ(trained_sizes(gemma), std::vector<size_t>({768, 512, 256, 128}));
  EXPECT_EQ(trained_sizes(bert), std::vector<size_t>({384}));
  EXPECT_NE(prompt_for(gemma, Purpose::Query), prompt_for(gemma, Purpose::Document));
  EXPECT_EQ(prompt_for(bert, Purpose::Query), "");
  EXPECT_EQ(prompt_for(gemma, Purpose::Plain), "");
}

}  // namespace
}  // namespace tinyarms::encoder
