// The uncalibrated stand-in for a calibrator: a plain formula over the evidence, so that the
// cascade works before anything was measured. Its numbers rank answers; they are not frequencies.
//
//   exact answers (rules, computed values)          1
//   cached answers          similarity × the confidence of the answer when it was new
//   answers that break the schema or the tools asked for   0
//   generated answers       exp(logprob_mean)       the geometric mean probability of its tokens
//                           × 0.5 where its code does not parse
//                           × 0.5 where it uses names that nothing defines
//                           × 0.5 where it makes a banned call (a security rule of severity error)
//                           × 0.8 where a code rule finds a bug
//                           × 0.5 where the token limit cut it off
//
// The geometric mean is the length-normalised sequence likelihood (Malinin & Gales 2021,
// "Uncertainty Estimation in Autoregressive Structured Prediction"), the baseline of the field.
#pragma once

#include "cascade/policy.h"

namespace tinyarms::cascade {

class FormulaEstimator final : public Estimator {
 public:
  Confidence estimate(Level, const Attempt&) const override;
};

}  // namespace tinyarms::cascade
