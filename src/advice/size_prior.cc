#include "advice/size_prior.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tinyarms::advice {

std::optional<SizePrior> SizePrior::fit(const Catalogue& catalogue, std::string_view benchmark) {
  struct Point {
    double size;
    double score;
  };
  std::vector<Point> points;
  for (const CatalogueModel& model : catalogue.models) {
    const Score* score = model.score(benchmark);
    if (score == nullptr || model.parameters == 0) continue;
    points.push_back({std::log10(static_cast<double>(model.parameters)), score->value});
  }
  constexpr size_t kPointsMin = 4;
  if (points.size() < kPointsMin) return std::nullopt;
  const double count = static_cast<double>(points.size());
  double size = 0, score = 0, spread = 0, together = 0, left = 0;
  for (const Point& point : points) {
    size += point.size / count;
    score += point.score / count;
  }
  for (const Point& point : points) {
    spread += (point.size - size) * (point.size - size);
    together += (point.size - size) * (point.score - score);
  }
  if (spread < 1e-9) return std::nullopt;
  SizePrior prior;
  prior.slope_ = together / spread;
  prior.intercept_ = score - prior.slope_ * size;
  for (const Point& point : points) {
    const double miss = point.score - prior.intercept_ - prior.slope_ * point.size;
    left += miss * miss;
  }
  prior.deviation_ = std::sqrt(left / (count - 2));
  prior.models_ = static_cast<int>(points.size());
  return prior;
}

double SizePrior::score(uint64_t parameters) const {
  const double size = std::log10(static_cast<double>(std::max<uint64_t>(parameters, 1)));
  return std::clamp(intercept_ + slope_ * size - deviation_, 1.0, 95.0);
}

}  // namespace tinyarms::advice
