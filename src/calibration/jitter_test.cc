#include "calibration/jitter.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tinyarms::calibration {
namespace {

JitterFile jitter() {
  JitterFile file;
  file.identity = {"abc", "Q4_1", "engine 1", "greedy"};
  file.prompts = 3;
  file.comparisons = 9;
  file.tokens = 90;
  file.other_choices = 1;
  file.signals["margin_mean"] = {.mean = 0.01, .q95 = 0.02, .most = 0.05};
  file.signals["entropy_mean"] = {.mean = 0.01, .q95 = 0.03, .most = 0.03};
  return file;
}

std::optional<double> evidence(std::string_view name) {
  if (name == "margin_mean" || name == "entropy_mean") return 0.5;
  return std::nullopt;
}

TEST(Jitter, TheBandIsHowFarTheEstimateMoves) {
  const auto margin = [](const EvidenceLookup& look) { return *look("margin_mean"); };
  EXPECT_NEAR(guard_band(jitter(), evidence, margin), 0.02, 1e-12);
  // Opposite effects cancel when both move, not when one does.
  const auto difference = [](const EvidenceLookup& look) {
    return 0.5 + *look("margin_mean") - *look("entropy_mean");
  };
  EXPECT_NEAR(guard_band(jitter(), evidence, difference), 0.03, 1e-12);
  // A step near by counts, one further off does not.
  const auto step_at = [](double at) {
    return [at](const EvidenceLookup& look) { return *look("margin_mean") >= at ? 0.9 : 0.2; };
  };
  EXPECT_NEAR(guard_band(jitter(), evidence, step_at(0.51)), 0.7, 1e-12);
  EXPECT_EQ(guard_band(jitter(), evidence, step_at(0.55)), 0);
}

TEST(Jitter, WhatIsMissingStaysMissing) {
  const auto nothing = [](std::string_view) { return std::optional<double>(); };
  const auto estimate = [](const EvidenceLookup& look) {
    return look("margin_mean") ? 1.0 : 0.3;
  };
  EXPECT_EQ(guard_band(jitter(), nothing, estimate), 0);
}

TEST(Jitter, ComesBackTheSame) {
  auto again = parse_jitter(jitter_json(jitter()), "file");
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->identity, jitter().identity);
  EXPECT_EQ(again->other_choices, 1u);
  EXPECT_EQ(again->signals.at("margin_mean").most, 0.05);
}

TEST(Jitter, RefusesWhatWasTamperedWith) {
  const std::string good = jitter_json(jitter());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return parse_jitter(text, "jitter.json");
  };
  EXPECT_FALSE(with("0.02", "-0.02"));
  EXPECT_FALSE(with("0.02", "1e999"));
  EXPECT_FALSE(with("0.05", "0.01"));  // the most below the 95 %
  EXPECT_FALSE(with("\"version\": 1", "\"version\": 2"));
  EXPECT_FALSE(with("\"prompts\": 3", "\"prompts\": -3"));
  EXPECT_FALSE(with("tinyarms-jitter", "else"));
  EXPECT_FALSE(parse_jitter("", "x"));
  EXPECT_FALSE(parse_jitter(std::string(2 << 20, ' '), "x"));
}

}  // namespace
}  // namespace tinyarms::calibration
