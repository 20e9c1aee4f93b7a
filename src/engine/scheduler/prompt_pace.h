// How fast prompts are computed, as measured pass by pass, and what follows from it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace tinyarms::engine {

class PromptPace {
 public:
  // A pass that held so many tokens of prompts.
  void measure(size_t tokens, double seconds) {
    if (tokens < kTokensMin || seconds <= 0) return;
    const double now = static_cast<double>(tokens) / seconds;
    rate_ = rate_ == 0 ? now : 0.7 * rate_ + 0.3 * now;
  }

  double tokens_per_second() const { return rate_; }  // 0: not known yet

  // Of prompts in one pass, while others write or may come: they wait a fifth of a second at most.
  size_t tokens_beside_writers() const {
    if (rate_ == 0) return kTokensGuess;
    return std::max(kTokensMin, static_cast<size_t>(rate_ * kSecondsMax));
  }

  // How long it is worth waiting for more before a pass of so many tokens: a hundredth of it.
  std::chrono::duration<double> patience(size_t tokens) const {
    if (rate_ == 0) return {};
    return std::chrono::duration<double>(
        std::min(0.01 * static_cast<double>(tokens) / rate_, kPatienceMax));
  }

 private:
  static constexpr double kSecondsMax = 0.2;
  static constexpr size_t kTokensMin = 16;
  static constexpr size_t kTokensGuess = 64;
  static constexpr double kPatienceMax = 0.005;

  double rate_ = 0;
};

}  // namespace tinyarms::engine
