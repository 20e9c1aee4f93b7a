// The few special functions that exact bounds on a proportion need. Relative error ≤ 1e-10 for
// counts up to 10^7 (tested against closed forms, exact sums and published tables).
#pragma once

#include <cstdint>

namespace tinyarms::calibration {

// 1 / (1 + e^-x) and its inverse, both without overflow; logit(0) is -inf, logit(1) is +inf.
double sigmoid(double x);
double logit(double p);
// log(1 + e^x) without overflow.
double log1p_exp(double x);

struct BetaShape {
  double a = 1;  // > 0
  double b = 1;  // > 0
};

// I_x(a, b): the distribution function of Beta(a, b) at x; x is clamped to [0, 1].
// Continued fraction (DLMF 8.17.22) with Loader's saddle-point form of the factor before it.
double incomplete_beta(BetaShape shape, double x);

// The x with I_x(a, b) = p; p is clamped to [0, 1].
double beta_quantile(BetaShape shape, double p);

struct Count {
  uint64_t hits = 0;    // ≤ trials
  uint64_t trials = 0;
};

// P(Binomial(trials, rate) ≤ hits): the p-value of "the rate is at least `rate`".
double binomial_cdf(Count count, double rate);

struct Interval {
  double low = 0;
  double high = 1;
};

// Clopper–Pearson. The one-sided bounds each hold with probability ≥ 1 − delta, the interval with
// ≥ `confidence`. Without trials: 0 and 1.
double clopper_pearson_upper(Count count, double delta);
double clopper_pearson_lower(Count count, double delta);
Interval clopper_pearson(Count count, double confidence);

}  // namespace tinyarms::calibration
