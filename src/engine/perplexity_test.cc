#include "engine/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "engine/perplexity_logits.h"
#include "engine/quantize.h"
#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using testing::TemporaryFolder;

std::vector<float> random_logits(uint32_t seed, size_t count, float spread) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(3, spread);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = normal(random);
  return logits;
}

double exact_log_sum(const std::vector<float>& logits) {
  long double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<long double>(logit));
  return static_cast<double>(std::log(sum));
}

TEST(PerplexityLogits, LogSumAndTopAreRight) {
  for (const uint32_t seed : {1u, 2u, 3u}) {
    std::vector<float> logits = random_logits(seed, 5003, 6);
    logits[4711] = 60;
    const LogitSummary summary = summarise_logits(logits);
    EXPECT_NEAR(summary.log_sum, exact_log_sum(logits), 1e-6) << "seed " << seed;
    EXPECT_EQ(summary.top, 4711);
    EXPECT_TRUE(summary.finite);
  }
  const std::vector<float> equal(1000, 2.5f);
  EXPECT_EQ(summarise_logits(equal).top, 0);
  EXPECT_NEAR(summarise_logits(equal).log_sum, 2.5 + std::log(1000.0), 1e-6);
  EXPECT_FALSE(summarise_logits(std::vector<float>{1, NAN, 2}).finite);
}

TEST(PerplexityLogits, DivergenceIsTheDefinition) {
  const std::vector<float> p = random_logits(5, 4099, 4);
  std::vector<float> q = p;
  const std::vector<float> noise = random_logits(6, 4099, 0.02f);
  for (size_t i = 0; i < q.size(); ++i) q[i] += noise[i];
  const double p_sum = exact_log_sum(p);
  const double q_sum = exact_log_sum(q);
  double expected = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    const double log_p = static_cast<double>(p[i]) - p_sum;
    expected += std::exp(log_p) * (log_p - (static_cast<double>(q[i]) - q_sum));
  }
  const ScoredLogits reference{p, summarise_logits(p).log_sum};
  const ScoredLogits candidate{q, summarise_logits(q).log_sum};
  ASSERT_GT(expected, 1e-5);
  EXPECT_NEAR(divergence(reference, candidate), expected, expected * 0.002);
  EXPECT_NEAR(divergence(reference, reference), 0, 1e-9);
}

class PerplexityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_tiny_model(folder_ / "tiny.gguf", {.layers = 2});
    ASSERT_TRUE(quantize(folder_ / "tiny.gguf", folder_ / "q4.gguf", {.type = "q4_0"}));
    auto reference = LanguageModel::load(folder_ / "tiny.gguf");
    auto candidate = LanguageModel::load(folder_ / "q4.gguf");
    ASSERT_TRUE(reference && candidate);
    reference_ = std::move(*reference);
    candidate_ = std::move(*candidate);
    for (int i = 0; i < 40; ++i) text_ += "the heron waits. " + std::to_string(i * 37);
  }

  TemporaryFolder folder_;
  std::unique_ptr<const LanguageModel> reference_;
  std::unique_ptr<const LanguageModel> candidate_;
  std::string text_;
  LikelihoodOptions options_{.chunk_tokens = 64, .threads = 1};
  StopFlag stop_;
};

TEST_F(PerplexityTest, CountsTheSecondHalvesOfWholeChunks) {
  size_t calls = 0;
  options_.progress = [&](size_t done, size_t) { calls = done; };
  const auto all = measure_likelihood(*reference_, text_, options_, stop_);
  ASSERT_TRUE(all) << all.error().message();
  EXPECT_EQ(all->tokens, calls * 31);
  EXPECT_GE(calls, 10u);
  EXPECT_GT(all->perplexity, 1);
  EXPECT_GT(all->perplexity_error, 0);
  EXPECT_GT(all->tokens_per_second, 0);
  options_.chunks_max = 3;
  EXPECT_EQ(measure_likelihood(*reference_, text_, options_, stop_)->tokens, 3u * 31);
}

TEST_F(PerplexityTest, AModelDoesNotDivergeFromItself) {
  const auto same = compare_likelihood({*reference_, *reference_}, text_, options_, stop_);
  ASSERT_TRUE(same) << same.error().message();
  EXPECT_NEAR(same->divergence_mean, 0, 1e-8);
  EXPECT_EQ(same->same_top, 1);
  EXPECT_EQ(same->log_ratio, 0);
  EXPECT_EQ(same->reference.perplexity, same->candidate.perplexity);
}

TEST_F(PerplexityTest, AQuantisedOneDoes) {
  const auto compared = compare_likelihood({*reference_, *candidate_}, text_, options_, stop_);
  ASSERT_TRUE(compared) << compared.error().message();
  EXPECT_GT(compared->divergence_mean, 0);
  EXPECT_GT(compared->divergence_99, compared->divergence_mean);
  EXPECT_GE(compared->divergence_max, compared->divergence_99);
  EXPECT_LT(compared->same_top, 1);
  EXPECT_NEAR(compared->log_ratio,
              std::log(compared->candidate.perplexity / compared->reference.perplexity), 1e-9);
  const auto alone = measure_likelihood(*candidate_, text_, options_, stop_);
  EXPECT_DOUBLE_EQ(alone->perplexity, compared->candidate.perplexity);
  size_t right = 0;
  size_t tokens = 0;
  for (const ChunkCounts& chunk : compared->chunks) {
    right += chunk.candidate_right;
    tokens += chunk.tokens;
  }
  EXPECT_EQ(right, compared->candidate.right);
  EXPECT_EQ(tokens, compared->candidate.tokens);
}

TEST_F(PerplexityTest, BadTextsAreErrors) {
  EXPECT_EQ(measure_likelihood(*reference_, "", options_, stop_).error().code,
            ErrorCode::InvalidArgument);
  EXPECT_EQ(measure_likelihood(*reference_, "short", options_, stop_).error().code,
            ErrorCode::InvalidArgument);
  EXPECT_EQ(measure_likelihood(*reference_, text_ + "\xff", options_, stop_).error().code,
            ErrorCode::InvalidArgument);
  stop_.raise();
  EXPECT_EQ(measure_likelihood(*reference_, text_, options_, stop_).error().code,
            ErrorCode::Interrupted);
}

TEST_F(PerplexityTest, LogitsThatAreNoNumbersAreErrors) {
  testing::write_tiny_model(folder_ / "wild.gguf", {.scale = NAN});
  auto wild = LanguageModel::load(folder_ / "wild.gguf");
  ASSERT_TRUE(wild) << wild.error().message();
  const auto result = measure_likelihood(**wild, text_, options_, stop_);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::Corrupt);
}

}  // namespace
}  // namespace tinyarms::engine
