// What the numbers suggest, each piece with the numbers that it rests on. Silent where there are
// too few of them: a share of ten decisions says nothing.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "telemetry/usage.h"

namespace tinyarms::telemetry {

struct Advice {
  std::string kind{};    // "seldom_kept", "often_wrong", "failing", "asked_again", "unanswered"
  std::string tier{};    // empty: of no one tier
  std::string intent{};  // empty: of all questions
  std::string text{};    // one or two sentences with the numbers in them
  std::vector<std::pair<std::string, double>> numbers{};
};

inline constexpr size_t kAdviceDecisionsMin = 20;

// The most pressing first. `usage` is of `decisions`.
std::vector<Advice> advice_of(const Usage& usage, std::span<const Counted> decisions);

}  // namespace tinyarms::telemetry
