#include "engine/answer_statistics.h"

#include <algorithm>
#include <cmath>

namespace tinyarms::engine {
namespace {

// Type 7 of Hyndman & Fan (1996): linear interpolation between order statistics, as in numpy.
double quantile(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  const double position = fraction * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (position - static_cast<double>(below)) * (values[above] - values[below]);
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

AnswerStatistics summarise(const std::vector<TokenStatistics>& tokens) {
  AnswerStatistics answer;
  if (tokens.empty()) return answer;
  std::vector<double> probabilities;
  std::vector<double> margins;
  double entropies = 0;
  double variances = 0;
  for (const TokenStatistics& token : tokens) {
    probabilities.push_back(std::exp(static_cast<double>(token.logprob)));
    margins.push_back(token.margin());
    answer.sequence_logprob += token.logprob;
    entropies += token.entropy;
    variances += token.logit_variance;
    answer.entropy_max = std::max<double>(answer.entropy_max, token.entropy);
  }
  const auto count = static_cast<double>(tokens.size());
  answer.tokens = static_cast<int>(tokens.size());
  answer.probability_mean = mean(probabilities);
  answer.probability_min = *std::min_element(probabilities.begin(), probabilities.end());
  answer.probability_q10 = quantile(probabilities, 0.1);
  answer.logprob_mean = answer.sequence_logprob / count;
  answer.margin_mean = mean(margins);
  answer.margin_min = *std::min_element(margins.begin(), margins.end());
  answer.margin_q10 = quantile(margins, 0.1);
  answer.entropy_mean = entropies / count;
  answer.logit_variance_mean = variances / count;
  return answer;
}

}  // namespace tinyarms::engine
