#include "calibration/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "calibration/reliability.h"

namespace tinyarms::calibration {
namespace {

// Scores on a coarse grid, so that most of them tie.
std::vector<Scored> tied_sample(uint64_t seed, size_t count, uint64_t levels) {
  Random random(seed);
  std::vector<Scored> items;
  for (size_t i = 0; i < count; ++i) {
    const double score = static_cast<double>(random.below(levels + 1)) / levels;
    items.push_back({score, random.uniform() < score ? 1.0 : 0.0});
  }
  return items;
}

MetricValues measured(std::vector<Scored> items, size_t bins = 15) {
  sort_by_score(items);
  return measure(items, bins);
}

// By the definitions, pair by pair; O(n²).
double auroc_by_pairs(const std::vector<Scored>& items) {
  double sum = 0;
  double pairs = 0;
  for (const Scored& right : items) {
    for (const Scored& wrong : items) {
      if (right.outcome != 1 || wrong.outcome != 0) continue;
      pairs += 1;
      sum += right.score > wrong.score ? 1 : right.score == wrong.score ? 0.5 : 0;
    }
  }
  return sum / pairs;
}

// The mean over random orders of the ties.
double aurc_by_shuffling(std::vector<Scored> items, uint64_t seed) {
  Random random(seed);
  double sum = 0;
  constexpr int kRounds = 4000;
  for (int round = 0; round < kRounds; ++round) {
    random.shuffle(items);
    std::stable_sort(items.begin(), items.end(),
                     [](const Scored& a, const Scored& b) { return a.score > b.score; });
    double wrong = 0;
    double area = 0;
    for (size_t k = 0; k < items.size(); ++k) {
      wrong += 1 - items[k].outcome;
      area += wrong / static_cast<double>(k + 1);
    }
    sum += area / static_cast<double>(items.size());
  }
  return sum / kRounds;
}

TEST(Metrics, WorkedExample) {
  // Highest first: right, wrong, right, right, wrong.
  const MetricValues values =
      measured({{0.9, 1}, {0.8, 0}, {0.7, 1}, {0.4, 1}, {0.1, 0}}, 10);
  EXPECT_NEAR(values[Metric::Accuracy], 0.6, 1e-15);
  EXPECT_NEAR(values[Metric::Auroc], 4.0 / 6, 1e-15);
  EXPECT_NEAR(values[Metric::Auprc], (1 + 2.0 / 3 + 3.0 / 4) / 3, 1e-15);
  EXPECT_NEAR(values[Metric::Aurc], (0 + 1.0 / 2 + 1.0 / 3 + 1.0 / 4 + 2.0 / 5) / 5, 1e-15);
  EXPECT_NEAR(values[Metric::Brier], (0.01 + 0.64 + 0.09 + 0.36 + 0.01) / 5, 1e-15);
  const double nll = std::log(0.9) + std::log(0.2) + std::log(0.7) + std::log(0.4) + std::log(0.9);
  EXPECT_NEAR(values[Metric::Nll], -nll / 5, 1e-14);
  EXPECT_NEAR(values[Metric::EceWidth], (0.1 + 0.8 + 0.3 + 0.6 + 0.1) / 5, 1e-15);
}

TEST(Metrics, TiesAreExact) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const std::vector<Scored> items = tied_sample(seed, 120, 6);
    const MetricValues values = measured(items);
    EXPECT_NEAR(values[Metric::Auroc], auroc_by_pairs(items), 1e-12) << seed;
    EXPECT_NEAR(values[Metric::Aurc], aurc_by_shuffling(items, seed), 2e-3) << seed;
  }
  const MetricValues all_equal = measured({{0.5, 1}, {0.5, 0}, {0.5, 0}, {0.5, 1}});
  EXPECT_EQ(all_equal[Metric::Auroc], 0.5);
  EXPECT_EQ(all_equal[Metric::Auprc], 0.5);
  EXPECT_EQ(all_equal[Metric::Aurc], 0.5);
}

TEST(Metrics, OrderOfRecordsDoesNotMatter) {
  Random random(4);
  std::vector<Scored> items = tied_sample(9, 500, 10);
  const MetricValues first = measured(items);
  for (int round = 0; round < 10; ++round) {
    random.shuffle(items);
    const MetricValues again = measured(items);
    for (Metric metric : kMetrics) {
      EXPECT_NEAR(again[metric], first[metric], 1e-12) << metric_name(metric);
    }
  }
}

TEST(Metrics, RankingMetricsKnowOnlyTheOrder) {
  std::vector<Scored> items = tied_sample(10, 400, 30);
  const MetricValues before = measured(items);
  for (Scored& item : items) item.score = 1e6 * std::exp(5 * item.score) - 3;
  const MetricValues after = measured(items);
  for (Metric metric : {Metric::Auroc, Metric::Auprc, Metric::Aurc}) {
    EXPECT_NEAR(after[metric], before[metric], 1e-12);
  }
  EXPECT_TRUE(std::isnan(after[Metric::Brier]));
  EXPECT_TRUE(std::isnan(after[Metric::EceMass]));
}

TEST(Metrics, WeightsAreRepetitions) {
  Random random(5);
  std::vector<Scored> weighted = tied_sample(11, 100, 8);
  std::vector<Scored> repeated;
  for (Scored& item : weighted) {
    const uint64_t times = 1 + random.below(3);
    for (uint64_t i = 0; i < times; ++i) repeated.push_back(item);
    item.weight = static_cast<double>(times);
  }
  const MetricValues a = measured(weighted);
  const MetricValues b = measured(repeated);
  for (Metric metric : {Metric::Auroc, Metric::Auprc, Metric::Brier, Metric::Nll,
                        Metric::EceWidth}) {
    EXPECT_NEAR(a[metric], b[metric], 1e-12) << metric_name(metric);
  }
}

TEST(Metrics, OneClassLeavesRankingUndefined) {
  EXPECT_TRUE(std::isnan(measured({{0.2, 1}, {0.4, 1}})[Metric::Auroc]));
  EXPECT_EQ(measured({{0.2, 1}, {0.4, 1}})[Metric::Auprc], 1);
  const MetricValues wrong = measured({{0.2, 0}, {0.4, 0}});
  EXPECT_TRUE(std::isnan(wrong[Metric::Auprc]));
  EXPECT_EQ(wrong[Metric::Aurc], 1);
}

TEST(Metrics, CertainAndWrongIsFiniteButDear) {
  EXPECT_NEAR(measured({{1, 0}, {0, 1}})[Metric::Nll], -std::log(1e-15), 0.2);
}

TEST(Reliability, CalibratedScoresHaveSmallErrors) {
  const MetricValues values = measured(tied_sample(12, 20000, 1000));
  EXPECT_LT(values[Metric::EceWidth], 0.02);
  EXPECT_LT(values[Metric::EceMass], 0.02);
  EXPECT_LT(values[Metric::EceAdaptive], 0.02);
}

TEST(Reliability, AdaptiveFallsBackToOneBinWhereTheOrderIsWrong) {
  std::vector<Scored> items;
  for (int i = 0; i < 100; ++i) items.push_back({i / 100.0, i < 50 ? 1.0 : 0.0});
  EXPECT_EQ(reliability(items, 10, Binning::Adaptive).value().size(), 1u);
}

TEST(Reliability, RefusesWhatIsNoProbability) {
  EXPECT_FALSE(reliability(std::vector<Scored>{{1.5, 1}}, 10, Binning::EqualWidth));
  EXPECT_FALSE(reliability(std::vector<Scored>{{NAN, 1}}, 10, Binning::EqualWidth));
  EXPECT_FALSE(reliability(std::vector<Scored>{{0.5, 2}}, 10, Binning::EqualWidth));
  EXPECT_FALSE(reliability(std::vector<Scored>{}, 10, Binning::EqualWidth));
  EXPECT_FALSE(reliability(std::vector<Scored>{{0.5, 1}}, 0, Binning::EqualWidth));
}

TEST(RiskCoverage, FromEverythingDownToTheSurest) {
  const std::vector<Scored> sorted = {{0.1, 0}, {0.4, 1}, {0.4, 0}, {0.9, 1}};
  const auto curve = risk_coverage(sorted, 100);
  ASSERT_EQ(curve.size(), 3u);
  EXPECT_EQ(curve[0].coverage, 1);
  EXPECT_EQ(curve[0].risk, 0.5);
  EXPECT_EQ(curve[1].threshold, 0.4);
  EXPECT_NEAR(curve[1].risk, 1.0 / 3, 1e-15);
  EXPECT_EQ(curve[2].coverage, 0.25);
  EXPECT_EQ(curve[2].risk, 0);
}

TEST(Bootstrap, IntervalsCoverTheTruth) {
  // The true accuracy is 0.5; AUROC of uniform p with y ~ p is 5/6.
  int accuracy = 0;
  int auroc = 0;
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Scored> items = tied_sample(1000 + round, 300, 1 << 20);
    sort_by_score(items);
    const auto intervals = bootstrap(items, measure(items, 10), 10, {.resamples = 200, .seed = 7});
    const auto holds = [&](Metric metric, double truth) {
      const auto& interval = intervals[static_cast<size_t>(metric)];
      return interval && interval->low <= truth && truth <= interval->high ? 1 : 0;
    };
    accuracy += holds(Metric::Accuracy, 0.5);
    auroc += holds(Metric::Auroc, 5.0 / 6);
  }
  EXPECT_GE(accuracy, kRounds * 0.9);
  EXPECT_GE(auroc, kRounds * 0.9);
}

TEST(Bootstrap, SmallerResamplesGiveTheSameWidth) {
  std::vector<Scored> items = tied_sample(3, 8000, 1 << 20);
  sort_by_score(items);
  const auto index = static_cast<size_t>(Metric::Auroc);
  const MetricValues values = measure(items, 10);
  const auto full = bootstrap(items, values, 10, {.resamples = 400})[index];
  const auto part =
      bootstrap(items, values, 10, {.resamples = 400, .records_max = 1000})[index];
  ASSERT_TRUE(full && part);
  const double ratio = (part->high - part->low) / (full->high - full->low);
  EXPECT_GT(ratio, 0.8);
  EXPECT_LT(ratio, 1.25);
}

TEST(Bootstrap, SeededAndUndefinedWhereTheMetricIs) {
  std::vector<Scored> items = {{0.2, 1}, {0.4, 1}, {0.6, 1}};
  const auto once = bootstrap(items, measure(items, 10), 10, {});
  EXPECT_FALSE(once[static_cast<size_t>(Metric::Auroc)]);
  EXPECT_FALSE(bootstrap(std::vector<Scored>{{0.2, 1}}, {}, 10, {})[0]);
  const auto twice = bootstrap(items, measure(items, 10), 10, {});
  const auto brier = static_cast<size_t>(Metric::Brier);
  EXPECT_EQ(once[brier]->low, twice[brier]->low);
}

TEST(Random, SameOnEveryMachine) {
  Random random(1);
  // From the published algorithm, worked in another language.
  EXPECT_EQ(random.next(), 14971601782005023387u);
  EXPECT_EQ(random.next(), 13781649495232077965u);
  EXPECT_EQ(random.next(), 1847458086238483744u);
  std::array<int, 7> seen{};
  for (int i = 0; i < 70'000; ++i) ++seen[random.below(7)];
  for (int count : seen) EXPECT_NEAR(count, 10'000, 500);
}

TEST(Random, SortedDrawsAreUniform) {
  Random random(2);
  std::vector<size_t> indices;
  std::array<int, 5> seen{};
  for (int round = 0; round < 2000; ++round) {
    draw_sorted(random, 5, 10, indices);
    EXPECT_TRUE(std::is_sorted(indices.begin(), indices.end()));
    for (size_t index : indices) ++seen[index];
  }
  for (int count : seen) EXPECT_NEAR(count, 4000, 300);
}

}  // namespace
}  // namespace tinyarms::calibration
