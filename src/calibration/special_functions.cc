#include "calibration/special_functions.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numbers>

namespace tinyarms::calibration {
namespace {

// log(z!) − log of Stirling's approximation of it.
double stirling_error(double z) {
  if (z < 16) {
    // Not std::lgamma: it writes a global.
    double log_factorial = 0;
    double shifted = z;
    while (shifted < 16) log_factorial -= std::log(shifted += 1);
    log_factorial += (shifted + 0.5) * std::log(shifted) - shifted +
                     0.5 * std::log(2 * std::numbers::pi) + stirling_error(shifted);
    if (z == 0) return log_factorial;
    return log_factorial - (z + 0.5) * std::log(z) + z - 0.5 * std::log(2 * std::numbers::pi);
  }
  const double r = 1 / (z * z);
  return (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) / z;
}

// k·log(k/m) + m − k without cancellation where k is near m.
double deviance(double k, double m) {
  if (std::abs(k - m) < 0.1 * (k + m)) {
    const double v = (k - m) / (k + m);
    double sum = (k - m) * v;
    double term = 2 * k * v;
    for (int j = 1; j < 1000; ++j) {
      term *= v * v;
      const double next = sum + term / (2 * j + 1);
      if (next == sum) break;
      sum = next;
    }
    return sum;
  }
  return k * std::log(k / m) + m - k;
}

// x^a (1−x)^b / B(a, b), by Loader (2000), "Fast and Accurate Computation of Binomial
// Probabilities": no difference of large logarithms.
double beta_power(BetaShape shape, double x) {
  const auto [a, b] = shape;
  const double n = a + b;
  const double exponent = stirling_error(n) - stirling_error(a) - stirling_error(b) -
                          deviance(a, n * x) - deviance(b, n * (1 - x));
  return std::sqrt(a * b / (2 * std::numbers::pi * n)) * std::exp(exponent);
}

// Lentz's method; converges in O(sqrt(max(a, b))) steps where x < (a + 1) / (a + b + 2).
double beta_fraction(BetaShape shape, double x) {
  constexpr double kTiny = 1e-300;
  constexpr double kPrecision = 1e-16;
  const auto [a, b] = shape;
  const int steps_max = 200 + static_cast<int>(10 * std::sqrt(std::min(1e15, std::max(a, b))));
  const auto guarded = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1;
  double d = 1 / guarded(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int i = 1; i <= steps_max; ++i) {
    const double m = i;
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guarded(1 + even * d);
    c = guarded(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guarded(1 + odd * d);
    c = guarded(1 + odd / c);
    const double factor = d * c;
    fraction *= factor;
    if (std::abs(factor - 1) < kPrecision * 4) break;
  }
  return fraction;
}

}  // namespace

double sigmoid(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}

double logit(double p) {
  if (p <= 0) return -std::numeric_limits<double>::infinity();
  if (p >= 1) return std::numeric_limits<double>::infinity();
  return std::log(p) - std::log1p(-p);
}

double log1p_exp(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

double incomplete_beta(BetaShape shape, double x) {
  assert(shape.a > 0 && shape.b > 0);
  if (!(x > 0)) return 0;
  if (x >= 1) return 1;
  if (x < (shape.a + 1) / (shape.a + shape.b + 2)) {
    return std::min(1.0, beta_power(shape, x) * beta_fraction(shape, x) / shape.a);
  }
  const BetaShape mirrored{shape.b, shape.a};
  // beta_power is symmetric, but 1 − x must be formed once only.
  const double rest = beta_power(shape, x) * beta_fraction(mirrored, 1 - x) / shape.b;
  return std::max(0.0, 1 - rest);
}

double beta_quantile(BetaShape shape, double p) {
  if (p <= 0) return 0;
  if (p >= 1) return 1;
  double low = 0;
  double high = 1;
  double x = shape.a / (shape.a + shape.b);
  // Newton inside a bracket that halves whenever Newton leaves it.
  for (int i = 0; i < 200; ++i) {
    const double difference = incomplete_beta(shape, x) - p;
    (difference > 0 ? high : low) = x;
    const double density = beta_power(shape, x) / (x * (1 - x));
    double next = x - difference / density;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - x) <= 1e-15 * next || high - low <= 1e-16 * high) return next;
    x = next;
  }
  return x;
}

double binomial_cdf(Count count, double rate) {
  if (count.hits >= count.trials) return 1;
  const auto k = static_cast<double>(count.hits);
  const auto n = static_cast<double>(count.trials);
  return incomplete_beta({n - k, k + 1}, 1 - rate);
}

double clopper_pearson_upper(Count count, double delta) {
  if (count.hits >= count.trials) return 1;
  const auto k = static_cast<double>(count.hits);
  const auto n = static_cast<double>(count.trials);
  if (count.hits == 0) return -std::expm1(std::log(delta) / n);
  return beta_quantile({k + 1, n - k}, 1 - delta);
}

double clopper_pearson_lower(Count count, double delta) {
  if (count.hits == 0) return 0;
  const auto k = static_cast<double>(count.hits);
  const auto n = static_cast<double>(count.trials);
  if (count.hits >= count.trials) return std::exp(std::log(delta) / n);
  return beta_quantile({k, n - k + 1}, delta);
}

Interval clopper_pearson(Count count, double confidence) {
  const double delta = (1 - confidence) / 2;
  return {clopper_pearson_lower(count, delta), clopper_pearson_upper(count, delta)};
}

}  // namespace tinyarms::calibration
