#include "advice/choice.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <tuple>

namespace tinyarms::advice {
namespace {

// Every combination, without any pruning.
std::vector<Assignment> all_of(const ChoiceProblem& problem) {
  std::vector<Assignment> all;
  for (size_t l2 = 0; l2 < problem.l2.size(); ++l2) {
    for (size_t l3 = 0; l3 <= problem.l3.size(); ++l3) {
      for (size_t l1 = 0; l1 <= problem.l1.size(); ++l1) {
        for (const bool resident : {true, false}) {
          Assignment picked{.l2 = l2, .resident = resident};
          if (l1 < problem.l1.size()) picked.l1 = l1;
          if (l3 < problem.l3.size()) picked.l3 = l3;
          if (const auto assessed = assess(problem, picked)) all.push_back(*assessed);
        }
      }
    }
  }
  return all;
}

ChoiceProblem random_problem(std::mt19937& random) {
  const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  const auto generators = [&] {
    std::vector<GeneratorOption> options;
    for (unsigned i = below(7); i > 0; --i) {
      const unsigned size = 1 + below(12);
      options.push_back({.model = fmt::format("m{}", i),
                         .quantisation = "q",
                         .context_tokens = 1024u << below(3),
                         .bytes = size * 10 + below(5),
                         .accuracy = below(11) / 10.0,
                         .seconds = size / 2.0 + below(3),
                         .load_seconds = below(4) * 1.0});
    }
    return options;
  };
  ChoiceProblem problem;
  problem.l2 = generators();
  problem.l3 = generators();
  for (unsigned i = below(4); i > 0; --i) {
    problem.l1.push_back({.model = "e", .bytes = 1 + below(30), .score = below(5) * 10.0});
  }
  problem.free_bytes = below(260);
  if (below(3) == 0) problem.l2_seconds_max = below(8);
  if (below(3) == 0) problem.l3_seconds_max = below(12);
  return problem;
}

auto values(const Assignment& a) {
  return std::tuple(a.accuracy, a.l1_score, a.seconds, a.context_tokens, a.bytes);
}

TEST(Choice, IsTheBestOfAllOnRandomProblems) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  int solvable = 0;
  for (int round = 0; round < 2000; ++round) {
    const ChoiceProblem problem = random_problem(random);
    std::optional<Assignment> best;
    for (const Assignment& one : all_of(problem)) {
      if (!best || is_better(one, *best)) best = one;
    }
    const auto chosen = choose(problem);
    ASSERT_EQ(chosen.has_value(), best.has_value()) << "round " << round;
    if (!best) continue;
    ++solvable;
    EXPECT_EQ(values(*chosen), values(*best)) << "round " << round;
  }
  EXPECT_GT(solvable, 500);
}

TEST(Choice, TheFrontHoldsAllThatNothingBeats) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    const ChoiceProblem problem = random_problem(random);
    const auto chosen = choose(problem);
    if (!chosen) continue;
    const auto front = pareto_front(problem, chosen->l1);
    for (const Assignment& one : all_of(problem)) {
      if (one.l1 != chosen->l1) continue;
      const bool covered = std::any_of(front.begin(), front.end(), [&](const Assignment& other) {
        return other.accuracy >= one.accuracy && other.bytes <= one.bytes &&
               other.seconds <= one.seconds;
      });
      EXPECT_TRUE(covered) << "round " << round;
    }
    for (size_t i = 0; i < front.size(); ++i) {
      for (size_t j = 0; j < front.size(); ++j) {
        EXPECT_FALSE(i != j && front[i].accuracy >= front[j].accuracy &&
                     front[i].seconds <= front[j].seconds && front[i].bytes <= front[j].bytes)
            << "round " << round << ": " << i << " beats " << j;
      }
    }
  }
}

TEST(Choice, ALargerModelHelpsByWhatItIsBetter) {
  EXPECT_DOUBLE_EQ(cascade_accuracy(0.5, 0.8), 0.5 + 0.7 * 0.3);
  EXPECT_LT(cascade_accuracy(0.8, 0.5), 0.8);
}

// To the bit: a hair more would put a second copy of the same model at l3.
TEST(Choice, AModelThatIsNoBetterIsNotAskedAfterAnother) {
  for (int k = 0; k <= 1000; ++k) {
    const double p = k / 1000.0;
    EXPECT_EQ(cascade_accuracy(p, p), p);
    const ChoiceProblem same{.l2 = {{.bytes = 1, .accuracy = p, .seconds = 1}},
                             .l3 = {{.bytes = 1, .accuracy = p, .seconds = 1}},
                             .free_bytes = 9};
    const auto chosen = choose(same);
    ASSERT_TRUE(chosen);
    EXPECT_FALSE(chosen->l3) << p;
  }
}

TEST(Choice, ModelsTakeTurnsWhereTheyDoNotFitTogether) {
  const ChoiceProblem problem{
      .l2 = {{.model = "s", .bytes = 4, .accuracy = 0.4, .seconds = 1}},
      .l3 = {{.model = "l", .bytes = 8, .accuracy = 0.8, .seconds = 2, .load_seconds = 3}},
      .free_bytes = 9};
  const auto chosen = choose(problem);
  ASSERT_TRUE(chosen);
  EXPECT_TRUE(chosen->l3);
  EXPECT_FALSE(chosen->resident);
  EXPECT_EQ(chosen->bytes, 8u);
  EXPECT_DOUBLE_EQ(chosen->seconds, 1 + share_passed_on(0.4) * (2 + 3));
  ChoiceProblem hurried = problem;
  hurried.l3_seconds_max = 4;  // 2 s and 3 s of loading
  EXPECT_FALSE(choose(hurried)->l3);
  hurried.free_bytes = 3;
  EXPECT_FALSE(choose(hurried));
}

}  // namespace
}  // namespace tinyarms::advice
