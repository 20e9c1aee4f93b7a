// Our figures against the UCCI crate's, from reference vectors in the shared data. Where the
// definitions differ on purpose, the difference itself is what is tested; docs/
// calibration-method.md lists them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "calibration/isotonic.h"
#include "calibration/margin_signal.h"
#include "calibration/reliability.h"
#include "calibration/routing_curve.h"
#include "calibration/threshold_plan.h"

namespace tinyarms::calibration {
namespace {

using Golden = nlohmann::json;

constexpr double kTolerance = 1e-9;

double number(const Golden& json) {
  if (json.is_number()) return json.get<double>();
  const auto text = json.get<std::string>();
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  return std::numeric_limits<double>::quiet_NaN();
}

class UcciGolden : public testing::Test {
 protected:
  void SetUp() override {
    const char* shared = std::getenv("TINYARMS_SHARED");
    const std::filesystem::path path =
        std::filesystem::path(shared ? shared : ".") / "data/ucci-golden/ucci_golden.json";
    std::ifstream file(path);
    if (!file) {
      GTEST_SKIP() << path << " is missing: point TINYARMS_SHARED at the shared data";
    }
    golden_ = Golden::parse(file);
  }

  Golden golden_;
};

std::vector<Scored> items_of(const Golden& scores, const Golden& outcomes, const Golden& weights) {
  std::vector<Scored> items;
  for (size_t i = 0; i < scores.size(); ++i) {
    items.push_back({number(scores[i]), i < outcomes.size() ? number(outcomes[i]) : NAN,
                     weights.is_array() && i < weights.size() ? number(weights[i]) : 1});
  }
  return items;
}

bool refused(const Golden& entry) { return entry.contains("expect_error"); }

// The two lists have different lengths: cannot even be said in our types.
bool mismatched(const Golden& entry, const char* a, const char* b) {
  return entry[a].size() != entry[b].size() ||
         (entry.contains("w") && entry["w"].is_array() && entry["w"].size() != entry[a].size());
}

TEST_F(UcciGolden, PooledAdjacentViolators) {
  size_t equal = 0;
  for (const Golden& entry : golden_["pav"]) {
    if (refused(entry)) continue;
    std::vector<double> values;
    for (const Golden& value : entry["y"]) values.push_back(number(value));
    std::vector<double> weights(values.size(), 1);
    if (entry["w"].is_array()) {
      for (size_t i = 0; i < weights.size(); ++i) weights[i] = number(entry["w"][i]);
    }
    const auto fit = pool_adjacent_violators(values, weights);
    ASSERT_EQ(fit.size(), entry["fit"].size()) << entry["name"];
    for (size_t i = 0; i < fit.size(); ++i) {
      const double expected = number(entry["fit"][i]);
      EXPECT_NEAR(fit[i], expected, kTolerance * std::max(1.0, std::abs(expected)))
          << entry["name"] << " at " << i;
      ++equal;
    }
  }
  EXPECT_GT(equal, 0u);
  RecordProperty("equal_values", static_cast<int>(equal));
  std::printf("[ golden   ] pav: %zu values equal\n", equal);
}

TEST_F(UcciGolden, IsotonicFits) {
  size_t equal = 0;
  size_t errors = 0;
  for (const Golden& entry : golden_["isotonic"]) {
    const std::string name = entry["name"];
    if (mismatched(entry, "u", "e")) continue;
    const auto fit = fit_isotonic(items_of(entry["u"], entry["e"], entry["w"]));
    if (refused(entry)) {
      EXPECT_FALSE(fit) << name;
      ++errors;
      continue;
    }
    ASSERT_TRUE(fit) << name << ": " << fit.error().message();
    ASSERT_EQ(fit->x.size(), entry["knots_x"].size()) << name;
    EXPECT_EQ(fit->records, entry["n_samples"].get<size_t>()) << name;
    for (size_t i = 0; i < fit->x.size(); ++i) {
      EXPECT_EQ(fit->x[i], number(entry["knots_x"][i])) << name;
      EXPECT_NEAR(fit->y[i], number(entry["knots_y"][i]), kTolerance) << name;
      equal += 2;
    }
    for (size_t i = 0; i < entry["query"].size(); ++i) {
      EXPECT_NEAR((*fit)(number(entry["query"][i])), number(entry["predict"][i]), kTolerance)
          << name << " at " << entry["query"][i];
      ++equal;
    }
  }
  std::printf("[ golden   ] isotonic: %zu values equal, %zu errors\n", equal, errors);
  EXPECT_GT(equal, 500u);
}

TEST_F(UcciGolden, CalibrationErrors) {
  size_t equal = 0;
  size_t errors = 0;
  for (const Golden& entry : golden_["ece"]) {
    const std::string name = entry["name"];
    if (mismatched(entry, "p", "y")) continue;
    std::vector<Scored> items = items_of(entry["p"], entry["y"], entry["w"]);
    // Weight 0 means "not there" in the crate; ours wants positive weights.
    std::erase_if(items, [](const Scored& item) { return item.weight == 0; });
    const Binning binning =
        entry["strategy"] == "uniform" ? Binning::EqualWidth : Binning::EqualMass;
    const auto table = reliability(items, entry["n_bins"].get<size_t>(), binning);
    if (refused(entry)) {
      EXPECT_FALSE(table) << name;
      ++errors;
      continue;
    }
    ASSERT_TRUE(table) << name << ": " << table.error().message();
    EXPECT_NEAR(expected_calibration_error(*table), number(entry["ece"]), kTolerance) << name;
    EXPECT_NEAR(brier_score(items), number(entry["brier"]), kTolerance) << name;
    const Golden& rows = entry["rows_lower_upper_count_meanforecast_observed"];
    ASSERT_EQ(table->size(), rows.size()) << name;
    for (size_t i = 0; i < rows.size(); ++i) {
      const ReliabilityBin& bin = (*table)[i];
      EXPECT_NEAR(bin.low, number(rows[i][0]), kTolerance) << name;
      EXPECT_NEAR(bin.high, number(rows[i][1]), kTolerance) << name;
      EXPECT_EQ(static_cast<double>(bin.count), number(rows[i][2])) << name;
      EXPECT_NEAR(bin.mean_forecast, number(rows[i][3]), kTolerance) << name;
      EXPECT_NEAR(bin.observed, number(rows[i][4]), kTolerance) << name;
      equal += 5;
    }
    equal += 2;
  }
  std::printf("[ golden   ] ece: %zu values equal, %zu errors\n", equal, errors);
  EXPECT_GT(equal, 100u);
}

TEST_F(UcciGolden, MarginUncertainty) {
  size_t equal = 0;
  size_t errors = 0;
  for (const Golden& entry : golden_["signal"]) {
    // Candidates with faults never become probabilities; that is the engine's part.
    const bool pairs = entry["kind"] == "pairs";
    if (!pairs && !entry["top2_probs"].is_array()) continue;
    std::vector<TopTwo> tokens;
    const Golden& list = pairs ? entry["p1"] : entry["top2_probs"];
    for (size_t i = 0; i < list.size(); ++i) {
      tokens.push_back(pairs ? TopTwo{number(list[i]), number(entry["p2"][i])}
                             : TopTwo{number(list[i][0]), number(list[i][1])});
    }
    const auto u = margin_uncertainty(tokens);
    if (entry["expect"].contains("error")) {
      EXPECT_FALSE(u) << entry["name"];
      ++errors;
      continue;
    }
    ASSERT_TRUE(u) << entry["name"];
    EXPECT_NEAR(*u, number(entry["expect"]["u"]), kTolerance) << entry["name"];
    ++equal;
  }
  std::printf("[ golden   ] signal: %zu values equal, %zu errors\n", equal, errors);
  EXPECT_GT(equal, 10u);
}

TEST_F(UcciGolden, WhatAGivenThresholdDoes) {
  size_t equal = 0;
  for (const Golden& entry : golden_["threshold"]) {
    const bool router = entry["cost_model"] == "routing";
    std::vector<RoutedItem> items;
    for (size_t i = 0; i < entry["p_hat"].size(); ++i) {
      items.push_back({-number(entry["p_hat"][i]), number(entry["small_score"][i]),
                       number(entry["large_score"][i]), number(entry["c_small"]),
                       number(entry["c_large"])});
    }
    sort_by_score(items);
    const auto curve = routing_curve(items, router ? CostModel::Router : CostModel::Cascade);
    for (const Golden& query : entry["evaluate_at_theta"]) {
      if (query["expect"].contains("error")) continue;
      const double theta = number(query["theta"]);
      const auto point = std::find_if(curve.begin(), curve.end(), [&](const RoutingPoint& p) {
        return p.threshold >= -theta;
      });
      ASSERT_NE(point, curve.end());
      EXPECT_NEAR(point->accuracy, number(query["expect"]["accuracy"]), kTolerance);
      EXPECT_NEAR(point->cost, number(query["expect"]["cost"]), kTolerance);
      EXPECT_NEAR(point->escalated, number(query["expect"]["escalation_rate"]), kTolerance);
      equal += 3;
    }
  }
  std::printf("[ golden   ] evaluate: %zu values equal\n", equal);
  EXPECT_GT(equal, 100u);
}

// Ours searches every distinct probability, the crate a grid: never worse, mostly equal.
TEST_F(UcciGolden, ChosenThresholdsAreNeverWorse) {
  size_t equal = 0;
  size_t better = 0;
  for (const Golden& entry : golden_["threshold"]) {
    const double small = number(entry["c_small"]);
    const double large = number(entry["c_large"]);
    const bool router = entry["cost_model"] == "routing";
    if (router && large <= small) continue;  // the crate refuses; ours has no such restriction
    CascadeOutcomes outcomes{.probability = {{}}, .right = {{}, {}}, .cost = {{}, {}}};
    std::vector<uint64_t> keys;
    for (size_t i = 0; i < entry["p_hat"].size(); ++i) {
      outcomes.probability[0].push_back(1.5 - number(entry["p_hat"][i]));
      outcomes.right[0].push_back(number(entry["small_score"][i]));
      outcomes.right[1].push_back(number(entry["large_score"][i]));
      outcomes.cost[0].push_back(small);
      outcomes.cost[1].push_back(router ? large - small : large);
      keys.push_back(i);
    }
    const auto count = [&](const PlanChoice& ours, const Golden& theirs, bool by_cost) {
      if (theirs.contains("error")) return;  // ours may still find a finer threshold
      ASSERT_TRUE(ours.feasible) << entry["name"];
      const double gain = by_cost ? number(theirs["cost"]) - ours.plan.cost
                                  : ours.plan.accuracy - number(theirs["accuracy"]);
      EXPECT_GE(gain, -kTolerance) << entry["name"];
      ++(gain > kTolerance ? better : equal);
    };
    for (const Golden& query : entry["by_tau"]) {
      const PlanTarget target{TargetKind::Accuracy, number(query["tau"])};
      count(choose_plan(outcomes, keys, target), query["expect"], true);
    }
    for (const Golden& query : entry["by_budget"]) {
      // A hair more, for sums in another order.
      const PlanTarget target{TargetKind::Cost, number(query["budget"]) + 1e-12};
      count(choose_plan(outcomes, keys, target), query["expect"], false);
    }
  }
  std::printf("[ golden   ] choices: %zu equal, %zu better by a finer threshold\n", equal, better);
  EXPECT_GT(equal, 30u);
}

}  // namespace
}  // namespace tinyarms::calibration
