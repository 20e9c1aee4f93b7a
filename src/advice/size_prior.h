// What a model of a size is expected to score where nobody published it: a line through the
// catalogue's own scores over the logarithm of the parameters, less one standard deviation of what
// it leaves unexplained. A prior, and labelled so wherever it shows.
#pragma once

#include <optional>
#include <string_view>

#include "advice/catalogue.h"

namespace tinyarms::advice {

class SizePrior {
 public:
  // Nothing where fewer than four models have a score, or all are of one size.
  static std::optional<SizePrior> fit(const Catalogue& catalogue, std::string_view benchmark);

  double score(uint64_t parameters) const;  // 1 to 95
  int models() const { return models_; }

 private:
  double intercept_ = 0;
  double slope_ = 0;  // a factor of ten
  double deviation_ = 0;
  int models_ = 0;
};

}  // namespace tinyarms::advice
