#include "calibration/calibrator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "calibration/cross_fit.h"
#include "calibration/logistic_regression.h"
#include "calibration/random.h"

namespace tinyarms::calibration {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// y ~ σ(2·logit(p)): over-cautious probabilities, whose true temperature is ½.
std::vector<Scored> cautious(uint64_t seed, size_t count) {
  Random random(seed);
  std::vector<Scored> items;
  for (size_t i = 0; i < count; ++i) {
    const double p = 0.02 + 0.96 * random.uniform();
    items.push_back({p, random.uniform() < sigmoid(2 * logit(p)) ? 1.0 : 0.0});
  }
  return items;
}

// Two informative signals, one noise; the second is missing for a third, more often if wrong.
TrainingSet many_signals(uint64_t seed, size_t count) {
  Random random(seed);
  TrainingSet set;
  set.signals = {"margin", "entropy", "noise"};
  set.columns.resize(3);
  for (size_t i = 0; i < count; ++i) {
    const double a = random.uniform() * 4 - 2;
    const double b = random.uniform() * 4 - 2;
    const bool right = random.uniform() < sigmoid(1.5 * a - 2 * b);
    set.columns[0].push_back(a);
    set.columns[1].push_back(random.uniform() < (right ? 0.2 : 0.5) ? kNan : b);
    set.columns[2].push_back(random.uniform());
    set.right.push_back(right ? 1 : 0);
    set.keys.push_back(mix64(seed * 1000003 + i));
  }
  return set;
}

Rows all_rows(const TrainingSet& set) {
  Rows rows(set.size());
  std::iota(rows.begin(), rows.end(), size_t{0});
  return rows;
}

TEST(ScoreMaps, TemperatureIsFound) {
  EXPECT_NEAR(fit_temperature(cautious(1, 20000)).temperature, 0.5, 0.02);
}

TEST(ScoreMaps, PlattFindsALogisticTruth) {
  Random random(2);
  std::vector<Scored> items;
  for (int i = 0; i < 20000; ++i) {
    const double s = random.uniform() * 10 - 3;
    items.push_back({s, random.uniform() < sigmoid(0.8 * s - 1.5) ? 1.0 : 0.0});
  }
  const PlattMap map = fit_platt(items);
  EXPECT_NEAR(map.slope, 0.8, 0.05);
  EXPECT_NEAR(map.intercept, -1.5, 0.1);
}

TEST(ScoreMaps, BetaContainsTemperature) {
  const BetaMap map = fit_beta(cautious(3, 20000));
  // Its three parameters trade off against each other; the curve is what counts.
  for (double s : {0.1, 0.3, 0.5, 0.8, 0.95}) EXPECT_NEAR(map(s), sigmoid(2 * logit(s)), 0.02);
}

TEST(ScoreMaps, BetaNeverFalls) {
  std::vector<Scored> items = cautious(4, 500);
  for (Scored& item : items) item.outcome = 1 - item.outcome;
  const BetaMap map = fit_beta(items);
  EXPECT_GE(map.a, 0);
  EXPECT_GE(map.b, 0);
}

TEST(ScoreMaps, MonotoneAndInsideZeroAndOne) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const std::vector<Scored> items = cautious(seed, 60 + 40 * seed);
    const TemperatureMap temperature = fit_temperature(items);
    const PlattMap platt = fit_platt(items);
    const BetaMap beta = fit_beta(items);
    const IsotonicMap isotonic = fit_isotonic_map(items);
    const auto check = [&](const auto& map) {
      double earlier = 0;
      for (double s = 0; s <= 1; s += 1.0 / 256) {
        const double p = map(s);
        EXPECT_GT(p, 0);
        EXPECT_LT(p, 1);
        EXPECT_GE(p, earlier - 1e-12) << "seed " << seed << " at " << s;
        earlier = p;
      }
    };
    check(temperature), check(platt), check(beta), check(isotonic);
  }
}

TEST(ScoreMaps, IsotonicTurnsRoundForDoubt) {
  std::vector<Scored> items = cautious(5, 2000);
  const IsotonicMap up = fit_isotonic_map(items);
  for (Scored& item : items) item.score = -item.score;
  const IsotonicMap down = fit_isotonic_map(items);
  EXPECT_TRUE(up.rising);
  EXPECT_FALSE(down.rising);
  for (double s : {0.1, 0.5, 0.93}) EXPECT_NEAR(up(s), down(-s), 1e-12);
}

TEST(ScoreMaps, IsotonicIsTheLeastSquaresFit) {
  // No other non-decreasing step function is better: random ones never are.
  Random random(6);
  const std::vector<double> values = {1, 0, 0, 1, 0, 1, 1, 0, 1};
  const std::vector<double> weights = {1, 2, 1, 1, 3, 1, 1, 1, 2};
  const auto loss = [&](const std::vector<double>& fit) {
    double sum = 0;
    for (size_t i = 0; i < fit.size(); ++i) {
      sum += weights[i] * (fit[i] - values[i]) * (fit[i] - values[i]);
    }
    return sum;
  };
  const double best = loss(pool_adjacent_violators(values, weights));
  for (int round = 0; round < 5000; ++round) {
    std::vector<double> other(values.size());
    for (double& value : other) value = random.uniform();
    std::sort(other.begin(), other.end());
    EXPECT_GE(loss(other), best - 1e-12);
  }
}

TEST(ScoreMaps, HistogramBoundsHoldTheTruth) {
  int missed = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const HistogramMap map = fit_histogram(cautious(100 + seed, 400), 5);
    // Exact for a constant truth; here the mean of the bin stands between its ends.
    for (size_t b = 0; b + 1 < map.bins.size(); ++b) {
      const double low = b == 0 ? 0.02 : map.bins[b - 1].high;
      const Interval bounds = map.bounds(map.bins[b].high);
      const bool apart = bounds.high < sigmoid(2 * logit(low)) ||
                         bounds.low > sigmoid(2 * logit(map.bins[b].high));
      missed += apart ? 1 : 0;
    }
  }
  EXPECT_LE(missed, 5);
}

TEST(ScoreMaps, HistogramKeepsTiesTogether) {
  const HistogramMap map = fit_histogram(std::vector<Scored>(50, Scored{0.5, 1}), 10);
  ASSERT_EQ(map.bins.size(), 1u);
  EXPECT_EQ(map.bins[0].trials, 50u);
  EXPECT_NEAR(map(0.2), 50.5 / 51, 1e-12);
}

TEST(LogisticRegression, SeparableDataStayFinite) {
  const auto weights = fit_logistic({.rows = 10,
                                     .features = 1,
                                     .features_of =
                                         [](size_t row, std::span<double> x) {
                                           x[0] = static_cast<double>(row) - 4.5;
                                         },
                                     .target_of = [](size_t row) { return row < 5 ? 0.0 : 1.0; },
                                     .ridge = 0});
  EXPECT_TRUE(std::isfinite(weights[0]));
  EXPECT_GT(weights[0], 1);
}

TEST(ManySignals, BeatOneSignalAndKnowWhatIsMissing) {
  const TrainingSet set = many_signals(7, 4000);
  auto fit = cross_fit(set, {});
  ASSERT_TRUE(fit) << fit.error().message();
  EXPECT_TRUE(takes_many_signals(fit->calibrator.family()));
  const FamilyScore& best = fit->tried.front();
  for (const FamilyScore& other : fit->tried) {
    EXPECT_LE(best.nll, other.nll);
    if (!takes_many_signals(other.family)) {
      EXPECT_LT(best.nll, other.nll - 0.05);
    }
  }
  // Missing entropy is bad news here.
  const std::vector<double> there = {0, 0, 0.5};
  const std::vector<double> gone = {0, kNan, 0.5};
  EXPECT_LT(fit->calibrator(std::span<const double>(gone)),
            fit->calibrator(std::span<const double>(there)));
}

TEST(ManySignals, StumpsFollowWhatIsNoStraightLine) {
  Random random(8);
  TrainingSet set;
  set.signals = {"x"};
  set.columns.resize(1);
  for (int i = 0; i < 3000; ++i) {
    const double x = random.uniform() * 2 - 1;
    set.columns[0].push_back(x);
    set.right.push_back(random.uniform() < (std::abs(x) < 0.5 ? 0.9 : 0.1) ? 1 : 0);
    set.keys.push_back(mix64(i));
  }
  const FitRequest request{.family = Family::Stumps, .columns = {0}};
  const auto stumps = fit_calibrator(set, all_rows(set), request);
  ASSERT_TRUE(stumps);
  const auto at = [&](double x) { return (*stumps)(std::span<const double>(&x, 1)); };
  EXPECT_NEAR(at(0), 0.9, 0.06);
  EXPECT_NEAR(at(0.9), 0.1, 0.06);
  EXPECT_NEAR(at(-0.9), 0.1, 0.06);
}

TEST(CrossFit, OrderOfRecordsDoesNotMatter) {
  const TrainingSet set = many_signals(9, 600);
  Random random(1);
  Rows order = all_rows(set);
  random.shuffle(order);
  TrainingSet shuffled;
  shuffled.signals = set.signals;
  shuffled.columns.resize(3);
  for (const size_t row : order) {
    for (size_t c = 0; c < 3; ++c) shuffled.columns[c].push_back(set.columns[c][row]);
    shuffled.right.push_back(set.right[row]);
    shuffled.keys.push_back(set.keys[row]);
  }
  const auto a = cross_fit(set, {});
  const auto b = cross_fit(shuffled, {});
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->calibrator.family(), b->calibrator.family());
  for (size_t i = 0; i < order.size(); ++i) {
    EXPECT_NEAR(b->held_out[i], a->held_out[order[i]], 1e-9);
  }
}

TEST(CrossFit, PredictionsAreHeldOut) {
  // A label that is pure noise cannot be foreseen: in-sample fits would look better than the coin.
  Random random(10);
  TrainingSet set;
  set.signals = {"x"};
  set.columns.resize(1);
  for (int i = 0; i < 400; ++i) {
    set.columns[0].push_back(random.uniform());
    set.right.push_back(random.uniform() < 0.5 ? 1 : 0);
    set.keys.push_back(mix64(i));
  }
  const auto fit = cross_fit(set, {.families = {Family::Isotonic}});
  ASSERT_TRUE(fit);
  EXPECT_GT(fit->tried.front().nll, std::log(2.0));
}

TEST(CrossFit, OneClassIsATypedError) {
  TrainingSet set = many_signals(11, 50);
  std::fill(set.right.begin(), set.right.end(), 1);
  auto fit = cross_fit(set, {});
  ASSERT_FALSE(fit);
  EXPECT_EQ(fit.error().code, ErrorCode::InvalidArgument);
  EXPECT_NE(fit.error().what.find("all 50 answers are right"), std::string::npos);
  EXPECT_FALSE(cross_fit(many_signals(11, 1), {}));
}

TEST(CrossFit, TemperatureNeedsProbabilities) {
  const TrainingSet set = many_signals(12, 100);
  EXPECT_FALSE(cross_fit(set, {.families = {Family::Temperature}}));
  EXPECT_TRUE(cross_fit(set, {.families = {Family::Temperature, Family::Platt}}));
}

TEST(Calibrator, EverythingMissingIsLegal) {
  const TrainingSet set = many_signals(13, 500);
  for (const Family family : kFamilies) {
    if (family == Family::Temperature || family == Family::Beta) continue;
    FitRequest request{.family = family, .columns = {1}};
    if (takes_many_signals(family)) request.columns = {0, 1, 2};
    const auto calibrator = fit_calibrator(set, all_rows(set), request);
    ASSERT_TRUE(calibrator) << family_name(family);
    const double p = (*calibrator)([](std::string_view) { return std::nullopt; });
    EXPECT_GT(p, 0) << family_name(family);
    EXPECT_LT(p, 1) << family_name(family);
  }
}

}  // namespace
}  // namespace tinyarms::calibration
