// Every set of kernels that this processor runs, against the same in double precision.
#include "encoder/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace tinyarms::encoder {
namespace {

std::vector<const Kernels*> runnable() {
  std::vector<const Kernels*> sets = {&kGenericKernels};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    sets.push_back(&kAvx2Kernels);
  }
  if (&kernels() == &kAvx512Kernels) sets.push_back(&kAvx512Kernels);
#endif
  return sets;
}

std::vector<float> noise(size_t count, float scale, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

class EveryKernel : public ::testing::TestWithParam<const Kernels*> {};

TEST_P(EveryKernel, NormsASum) {
  const size_t width = 48;
  const auto x = noise(width, 2), added = noise(width, 1, 2), bias = noise(width, 1, 3);
  const auto gain = noise(width, 1, 4), shift = noise(width, 1, 5);
  std::vector<float> got = x;
  GetParam()->norm({.x = got.data(), .added = added.data(), .bias = bias.data(),
                    .gain = gain.data(), .shift = shift.data(), .width = width,
                    .epsilon = 1e-5f});
  double mean = 0, variance = 0;
  for (size_t i = 0; i < width; ++i) mean += (double(x[i]) + added[i] + bias[i]) / width;
  for (size_t i = 0; i < width; ++i) {
    variance += std::pow(double(x[i]) + added[i] + bias[i] - mean, 2) / width;
  }
  for (size_t i = 0; i < width; ++i) {
    const double z = (double(x[i]) + added[i] + bias[i] - mean) / std::sqrt(variance + 1e-5);
    EXPECT_NEAR(got[i], z * gain[i] + shift[i], 2e-5);
  }
}

TEST_P(EveryKernel, GeluIsThatOfTheErrorFunction) {
  std::vector<float> x;
  for (int i = -160; i < 160; ++i) x.push_back(static_cast<float>(i) * 0.1f);
  const std::vector<float> bias(x.size(), 0.05f);
  std::vector<float> got = x;
  GetParam()->gelu(got.data(), bias.data(), x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const double in = double(x[i]) + bias[i];
    EXPECT_NEAR(got[i], in * 0.5 * std::erfc(-in / std::sqrt(2.0)), 1e-6) << in;
  }
}

// Row counts around every block size; nothing beside its places is written.
TEST_P(EveryKernel, HeadsAreSplitAndKeysTurned) {
  const size_t width = 96, head_width = 32, stride = 80, head_stride = 50 * head_width;
  const auto bias = noise(3 * width, 1, 2);
  for (const size_t rows : {1, 3, 4, 8, 15, 16, 17, 33, 48}) {
    const auto product = noise(rows * 3 * width, 2);
    std::vector<float> queries(rows * width + 1, 7), keys(width * stride, 7),
        values(width / head_width * head_stride, 7);
    GetParam()->split_heads({.product = product.data(), .bias = bias.data(),
                             .queries = queries.data(), .keys = keys.data() + 1,
                             .values = values.data(), .rows = rows, .width = width,
                             .head_width = head_width, .stride = stride,
                             .head_stride = head_stride, .scale = 0.5f});
    for (size_t row = 0; row < rows; ++row) {
      const float* of = product.data() + row * 3 * width;
      for (size_t i = 0; i < width; ++i) {
        ASSERT_EQ(queries[row * width + i], (of[i] + bias[i]) * 0.5f);
        ASSERT_EQ(keys[1 + i * stride + row], of[width + i] + bias[width + i]) << rows;
        ASSERT_EQ(values[i / head_width * head_stride + row * head_width + i % head_width],
                  of[2 * width + i] + bias[2 * width + i]);
      }
    }
    EXPECT_EQ(queries.back(), 7);
    for (size_t i = 0; i < width; ++i) {
      ASSERT_EQ(keys[i * stride], 7);
      ASSERT_EQ(keys[1 + i * stride + rows], 7);
    }
    EXPECT_EQ(values[rows * head_width], 7);
  }
}

struct AttentionCase {
  size_t head;
  size_t tokens;
  size_t first;  // the row that the task begins with
  bool biased;
};

// A bias of a distance d of two tokens is at biases[tokens - 1 + d].
void expect_attention(const Kernels& kernels, const AttentionCase& each) {
  const auto& [head, tokens, first, biased] = each;
  const size_t stride = tokens + kKeyPadding;
  const auto queries = noise(tokens * head, 1), values = noise(tokens * head, 1, 2);
  const auto keys = noise(head * stride + kKeyPadding, 1, 3);
  auto biases = noise(2 * tokens + kKeyPadding, 2, 4);
  if (!biased) std::fill(biases.begin(), biases.end(), 0.0f);
  std::vector<float> scores(attention_scratch(tokens));
  std::vector<float> got(tokens * head);
  kernels.attention({.queries = queries.data() + first * head, .keys = keys.data(),
                     .values = values.data(),
                     .bias = biased ? biases.data() + tokens - 1 - first : nullptr,
                     .scores = scores.data(), .out = got.data() + first * head,
                     .rows = tokens - first, .tokens = tokens, .head_width = head,
                     .query_stride = head, .key_stride = stride, .out_stride = head});
  for (size_t row = first; row < tokens; ++row) {
    std::vector<double> weights(tokens, 0.0);
    double total = 0;
    for (size_t t = 0; t < tokens; ++t) {
      double score = biases[tokens - 1 + t - row];
      for (size_t e = 0; e < head; ++e) {
        score += double(queries[row * head + e]) * keys[e * stride + t];
      }
      total += weights[t] = std::exp(score);
    }
    for (size_t e = 0; e < head; ++e) {
      double expected = 0;
      for (size_t t = 0; t < tokens; ++t) expected += weights[t] / total * values[t * head + e];
      ASSERT_NEAR(got[row * head + e], expected, 2e-5)
          << tokens << " tokens, head " << head << ", row " << row << (biased ? ", biased" : "");
    }
  }
}

// Lengths around every block size, one and two vectors to a head, whole texts and their ends.
TEST_P(EveryKernel, AttentionIsASoftmaxOfProductsAndBias) {
  for (const size_t head : {16u, 32u, 48u, 64u}) {
    for (const size_t tokens : {1u, 3u, 15u, 16u, 17u, 33u, 70u}) {
      for (const bool biased : {false, true}) {
        expect_attention(*GetParam(), {head, tokens, 0, biased});
        expect_attention(*GetParam(), {head, tokens, tokens / 3, biased});
      }
    }
  }
}

TEST_P(EveryKernel, QuantisesToNearestAndBack) {
  auto from = noise(64, 3);
  std::vector<uint8_t> to(64);
  const float scale = GetParam()->quantise(from.data(), to.data(), 64);
  for (size_t i = 0; i < 64; ++i) {
    EXPECT_NEAR((to[i] - 128) * scale, from[i], scale * 0.501);
  }
  const std::vector<float> nothing(64, 0.0f);
  EXPECT_GT(GetParam()->quantise(nothing.data(), to.data(), 64), 0);
  for (const uint8_t value : to) EXPECT_EQ(value, 128);
}

TEST_P(EveryKernel, RoundsToBf16) {
  const std::vector<float> from = {1.0f, -1.0f, 1.00390625f, 1.01171875f, 0.0f, 3.14159265f};
  std::vector<uint16_t> to(from.size());
  GetParam()->to_bf16(from.data(), to.data(), from.size());
  EXPECT_EQ(to, std::vector<uint16_t>({0x3f80, 0xbf80, 0x3f80, 0x3f82, 0x0000, 0x4049}));
}

INSTANTIATE_TEST_SUITE_P(All, EveryKernel, ::testing::ValuesIn(runnable()),
                         [](const auto& each) { return std::string(each.param->name); });

}  // namespace
}  // namespace tinyarms::encoder
