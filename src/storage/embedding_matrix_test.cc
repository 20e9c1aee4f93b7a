#include "storage/embedding_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace tinyarms::storage {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(UnitVector, ScalesToLengthOneOrRefuses) {
  const auto unit = unit_vector(std::vector<float>{3, 0, 4});
  ASSERT_TRUE(unit);
  EXPECT_NEAR((*unit)[0], 0.6, 1e-6);
  EXPECT_NEAR((*unit)[2], 0.8, 1e-6);
  EXPECT_FALSE(unit_vector({}));
  EXPECT_FALSE(unit_vector(std::vector<float>{0, 0}));
  EXPECT_FALSE(unit_vector(std::vector<float>{1, kNan}));
  EXPECT_FALSE(unit_vector(std::vector<float>{1, kInfinity}));
  EXPECT_FALSE(unit_vector(std::vector<float>{1e-38F, 0}));
}

TEST(VectorFromBlob, RefusesWhatIsNoVector) {
  const std::vector<float> values = {1, 2};
  EXPECT_EQ(vector_from_blob(std::as_bytes(std::span(values))), values);
  EXPECT_FALSE(vector_from_blob({}));
  EXPECT_FALSE(vector_from_blob(std::as_bytes(std::span(values)).first(7)));
  const std::vector<float> bad = {1, kNan};
  EXPECT_FALSE(vector_from_blob(std::as_bytes(std::span(bad))));
}

TEST(DotProduct, AgreesWithTheDefinitionAtEveryLength) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  for (size_t length = 0; length < 70; ++length) {
    std::vector<float> a(length), b(length);
    double expected = 0;
    for (size_t i = 0; i < length; ++i) {
      a[i] = normal(random);
      b[i] = normal(random);
      expected += double{a[i]} * double{b[i]};
    }
    EXPECT_NEAR(dot_product(a, b), expected, 1e-4) << length;
  }
}

TEST(EmbeddingMatrix, FindsTheNearestAndOfEqualsTheNewest) {
  EmbeddingMatrix matrix;
  EXPECT_FALSE(matrix.nearest(std::vector<float>{1, 0}));
  matrix.append(1, std::vector<float>{1, 0});
  matrix.append(5, std::vector<float>{0, 1});
  matrix.append(9, std::vector<float>{0, 1});
  const auto match = matrix.nearest(std::vector<float>{0.6F, 0.8F});
  ASSERT_TRUE(match);
  EXPECT_EQ(match->id, 9);
  EXPECT_NEAR(match->cosine, 0.8, 1e-6);
}

TEST(EmbeddingMatrix, RetainKeepsRowsWithTheirValues) {
  EmbeddingMatrix matrix;
  for (int id = 0; id < 10; ++id) {
    const auto angle = static_cast<float>(id) / 10;
    matrix.append(id, std::vector<float>{std::cos(angle), std::sin(angle)});
  }
  matrix.retain(std::vector<int64_t>{-3, 2, 4, 7, 70});
  ASSERT_EQ(matrix.rows(), 3U);
  const auto match = matrix.nearest(std::vector<float>{std::cos(0.4F), std::sin(0.4F)});
  EXPECT_EQ(match->id, 4);
  EXPECT_NEAR(match->cosine, 1, 1e-6);
  matrix.retain({});
  EXPECT_EQ(matrix.rows(), 0U);
  EXPECT_EQ(matrix.dimensions(), 0U);
  matrix.append(11, std::vector<float>{0, 0, 1});
  EXPECT_EQ(matrix.dimensions(), 3U);
}

}  // namespace
}  // namespace tinyarms::storage
