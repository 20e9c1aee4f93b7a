#include "cascade/declared_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace tinyarms::cascade {
namespace {

class FixedEstimator final : public Estimator {
 public:
  explicit FixedEstimator(double value, std::string certificate = "")
      : value_(value), certificate_(std::move(certificate)) {}
  Confidence estimate(Level, const Attempt&) const override {
    return {.value = value_,
            .calibrated = true,
            .formula = "fixed",
            .certified = !certificate_.empty(),
            .certificate = certificate_};
  }

 private:
  double value_;
  std::string certificate_;
};

Verdict judge(double confidence, const Request& request, Level level, PolicyTerms terms = {}) {
  const FixedEstimator estimator(confidence);
  if (!terms.tiers.contains(Level::L2)) terms.tiers[Level::L2].threshold = 0.6;
  const DeclaredPolicy policy(estimator, std::move(terms));
  return policy.judge({.request = request, .level = level, .so_far = {}}, Attempt{});
}

TEST(DeclaredPolicy, LevelsOwnThenGlobalThenTermsThenHalf) {
  Request request;
  EXPECT_EQ(judge(0.5, request, Level::L2).threshold, 0.6);
  EXPECT_EQ(judge(0.5, request, Level::L3).threshold, 0.5);
  request.threshold = 0.8;
  EXPECT_EQ(judge(0.5, request, Level::L2).threshold, 0.8);
  request.level_thresholds[Level::L2] = 0.1;
  EXPECT_EQ(judge(0.5, request, Level::L2).threshold, 0.1);
  EXPECT_EQ(judge(0.5, request, Level::L3).threshold, 0.8);
}

TEST(DeclaredPolicy, ReachingIsEnough) {
  Request request;
  EXPECT_EQ(judge(0.6, request, Level::L2).action, Action::Keep);
  EXPECT_EQ(judge(std::nextafter(0.6, 0.0), request, Level::L2).action, Action::Climb);
  request.threshold = 0;
  EXPECT_EQ(judge(0, request, Level::L2).action, Action::Keep);
}

TEST(DeclaredPolicy, NothingReachesWhatIsNotANumber) {
  Request request;
  request.threshold = std::nan("");
  EXPECT_EQ(judge(1, request, Level::L2).action, Action::Climb);
  request.threshold = 0;
  EXPECT_NE(judge(std::nan(""), request, Level::L2).action, Action::Keep);
}

TEST(DeclaredPolicy, TheReasonHoldsTheNumbers) {
  const Verdict verdict = judge(0.25, Request{}, Level::L2);
  EXPECT_EQ(verdict.reason, "confidence 0.250 is below threshold 0.600 (calibrated; fixed)");
  EXPECT_EQ(verdict.confidence.value, 0.25);
  EXPECT_TRUE(verdict.confidence.calibrated);
}

TEST(DeclaredPolicy, ACertificateIsNamedAndSuffices) {
  const FixedEstimator estimator(0.9, "wrong at most 10 % with confidence 95 %");
  const DeclaredPolicy policy(estimator, {.certified_only = true});
  const Request request;
  const Verdict verdict = policy.judge({request, Level::L2, {}}, Attempt{});
  EXPECT_EQ(verdict.action, Action::Keep);
  EXPECT_THAT(verdict.reason, testing::HasSubstr("wrong at most 10 % with confidence 95 %"));
}

TEST(DeclaredPolicy, ARuleThatNamesNothingMatchesNothing) {
  EXPECT_FALSE(PolicyRule{}.matches("anything", "code"));
  const PolicyRule both{.name = "", .group = "code", .words = {"SQL"}};
  EXPECT_TRUE(both.matches("my sql query", "code"));
  EXPECT_FALSE(both.matches("my sql query", "general"));
  EXPECT_FALSE(both.matches("my query", "code"));
}

// Whatever the terms: more confidence never turns a kept answer into an escalated one, and a
// higher safe setting never keeps more.
TEST(DeclaredPolicy, MoreConfidenceIsNeverWorse) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> uniform;
  for (int round = 0; round < 500; ++round) {
    PolicyTerms terms;
    terms.tiers[Level::L2].threshold = uniform(random);
    terms.withhold_below = uniform(random) / 2;
    if (round % 2 == 0) {
      terms.worth_of_right = 1 + 9 * uniform(random);
      terms.tiers[Level::L3] = {.price = 3 * uniform(random), .accuracy = uniform(random)};
    }
    if (round % 3 == 0) {
      terms.rules.push_back({.name = "r", .group = "g", .threshold = uniform(random)});
    }
    terms.safe_mode = round % 5 == 0;
    terms.safe_threshold = uniform(random);
    Request request;
    request.group = round % 2 == 0 ? "g" : "h";
    const auto rank = [](Action action) {
      return action == Action::Keep ? 2 : action == Action::Climb ? 1 : 0;
    };
    int last = 0;
    for (double p = 0; p <= 1; p += 0.05) {
      const int now = rank(judge(p, request, Level::L2, terms).action);
      ASSERT_GE(now, last) << "seed 5, round " << round << ", P " << p;
      last = now;
      PolicyTerms safer = terms;
      safer.safe_mode = true;
      ASSERT_LE(rank(judge(p, request, Level::L2, safer).action), now);
    }
  }
}

TEST(DeclaredPolicy, ChanceTurnsItsShareOfTheOpenDecisionsAndSaysHowLikelyThatWas) {
  std::mt19937 random(6);
  std::uniform_real_distribution<double> uniform;
  const FixedEstimator estimator(0.9);
  const DeclaredPolicy policy(estimator, {.explore = 0.02}, [&] { return uniform(random); });
  const Request request;
  int turned = 0;
  constexpr int kRounds = 20'000;
  for (int round = 0; round < kRounds; ++round) {
    const Verdict verdict = policy.judge({request, Level::L2, {}}, Attempt{});
    const bool other = verdict.action == Action::Climb;
    EXPECT_DOUBLE_EQ(verdict.propensity, other ? 0.02 : 0.98);
    EXPECT_EQ(verdict.reason.find("by chance") != std::string::npos, other);
    turned += other ? 1 : 0;
  }
  EXPECT_NEAR(turned, 400, 5 * std::sqrt(400.0)) << "seed 6";
}

TEST(DeclaredPolicy, ChanceHasNoSayWhereSomebodyDecided) {
  const FixedEstimator estimator(0.9);
  PolicyTerms terms{.explore = 0.5};
  terms.rules.push_back({.name = "r", .group = "strict", .threshold = 0.8});
  const DeclaredPolicy policy(estimator, terms, [] { return 0.0; });
  const auto propensity = [&](const Request& request, const Attempt& attempt, bool may_climb) {
    return policy
        .judge({.request = request, .level = Level::L2, .so_far = {}, .may_climb = may_climb},
               attempt)
        .propensity;
  };
  EXPECT_EQ(propensity({}, {}, true), 0.5);
  EXPECT_EQ(propensity({}, {}, false), 1);  // nobody above: there is one thing to do
  Attempt exact;
  exact.evidence.set(signal::kExact, true);
  EXPECT_EQ(propensity({}, exact, true), 1);
  Request typed;
  typed.threshold = 0.8;
  EXPECT_EQ(propensity(typed, {}, true), 1);
  Request ruled;
  ruled.group = "strict";
  EXPECT_EQ(propensity(ruled, {}, true), 1);
}

TEST(DeclaredPolicy, TheGuardBandLiesAboveTheThreshold) {
  class Shaky final : public Estimator {
   public:
    explicit Shaky(double value) : value_(value) {}
    Confidence estimate(Level, const Attempt&) const override {
      return {.value = value_, .formula = "shaky", .band = 0.05};
    }
    double value_;
  };
  PolicyTerms terms;
  terms.tiers[Level::L2].threshold = 0.6;
  Request request;
  const auto judged = [&](double value) {
    const Shaky estimator(value);
    return DeclaredPolicy(estimator, terms)
        .judge({.request = request, .level = Level::L2, .so_far = {}}, Attempt{});
  };
  EXPECT_EQ(judged(0.66).action, Action::Keep);
  EXPECT_EQ(judged(0.64).action, Action::Climb);
  EXPECT_THAT(judged(0.64).reason, testing::HasSubstr("guard band of 0.05 above threshold 0.600"));
  EXPECT_THAT(judged(0.5).reason, testing::HasSubstr("is below threshold"));
}

}  // namespace
}  // namespace tinyarms::cascade
