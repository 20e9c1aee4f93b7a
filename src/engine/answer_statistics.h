// Token statistics gathered over one answer.
#pragma once

#include <vector>

#include "engine/token_statistics.h"

namespace tinyarms::engine {

struct AnswerStatistics {
  int tokens = 0;
  double probability_mean = 0;  // of the chosen tokens
  double probability_min = 0;
  double probability_q10 = 0;   // 10 % quantile, linear interpolation (Hyndman–Fan type 7)
  double sequence_logprob = 0;  // sum over tokens
  double logprob_mean = 0;
  double margin_mean = 0;
  double margin_min = 0;
  double margin_q10 = 0;
  double entropy_mean = 0;  // nats
  double entropy_max = 0;
  double logit_variance_mean = 0;
};

// All zero for no tokens.
AnswerStatistics summarise(const std::vector<TokenStatistics>& tokens);

}  // namespace tinyarms::engine
