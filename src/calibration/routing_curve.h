// What routing by a score buys: the lowest scores go to the larger tier, and accuracy and cost are
// followed from "none escalated" to "all escalated". Ties escalate together; between two points of
// the curve lies a random choice among the tied, so that straight lines are exact in expectation.
//
// APGR and CPT as RouteLLM defines them (Ong et al. 2024): with the performance gap recovered
// PGR(x) = (accuracy(x) − accuracy(0)) / (accuracy(1) − accuracy(0)) at the escalated share x,
// APGR is the area under PGR over [0, 1], and CPT(g) the smallest share x with PGR(x) ≥ g. Here
// over all distinct thresholds, where RouteLLM takes ten quantiles of them.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "calibration/metrics.h"
#include "calibration/special_functions.h"

namespace tinyarms::calibration {

struct RoutedItem {
  double score = 0;  // higher: rather keep it on the small tier
  double small_outcome = 0;
  double large_outcome = 0;
  double small_cost = 0;
  double large_cost = 0;
};

void sort_by_score(std::vector<RoutedItem>& items);

enum class CostModel {
  Router,   // the score is known beforehand: one tier is paid
  Cascade,  // the score judges the small tier's answer: escalated items pay both
};

struct RoutingPoint {
  double threshold = 0;  // what scores below it is escalated
  double escalated = 0;  // share
  double accuracy = 0;
  double cost = 0;  // mean of an item
};

// `sorted` is ascending and not empty. First nothing escalated, last everything (threshold +inf).
std::vector<RoutingPoint> routing_curve(std::span<const RoutedItem> sorted, CostModel model);

struct RoutingSummary {
  double small_accuracy = 0;
  double large_accuracy = 0;
  // Undefined where the larger tier is not better.
  std::optional<double> apgr{};
  std::optional<double> cpt50{};
  std::optional<double> cpt80{};
};

RoutingSummary summarise(std::span<const RoutingPoint> curve);

struct RoutingIntervals {
  std::optional<Interval> apgr{};
  std::optional<Interval> cpt50{};
  std::optional<Interval> cpt80{};
};

RoutingIntervals bootstrap_routing(std::span<const RoutedItem> sorted,
                                   const BootstrapOptions& options);

// The accuracy at a mean cost, between the curve's points; its ends beyond them.
double accuracy_at_cost(std::span<const RoutingPoint> curve, double cost);

// At most `points` of the curve, evenly over its shares, with both ends.
std::vector<RoutingPoint> thinned(std::span<const RoutingPoint> curve, size_t points);

}  // namespace tinyarms::calibration
