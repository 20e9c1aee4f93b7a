// On real weights: all figures of a generator are there, and Ctrl-C is heard.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "eval/model_speed.h"

namespace tinyarms::eval {
namespace {

constexpr const char* kNoWeights =
    "SmolLM2's weights are missing: run ./setup/install, which puts "
    "smollm2-135m-instruct.q4_1.gguf into $TINYARMS_TEST_MODELS";

class SpeedOnRealWeights : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("TINYARMS_TEST_MODELS");
    model_.name = "small";
    model_.path = std::filesystem::path(folder == nullptr ? "" : folder) /
                  "smollm2-135m-instruct.q4_1.gguf";
    model_.sha256 = std::string(64, 'a');
    if (!std::filesystem::exists(model_.path)) GTEST_SKIP() << kNoWeights;
  }

  catalog::InstalledModel model_;
  const SystemClock clock_;
  StopFlag stop_;
};

TEST_F(SpeedOnRealWeights, FiguresOfAGeneratorHoldForThisMachine) {
  std::vector<std::string> steps;
  const auto speed = measure_speed(
      model_,
      {.threads = 1, .seconds_max = 0.01, .progress = [&](const std::string& what) {
         steps.push_back(what);
       }},
      clock_, stop_);
  ASSERT_TRUE(speed) << speed.error().message();
  EXPECT_TRUE(speed->generates());
  EXPECT_GT(speed->prompt_tokens_rate, 0);
  EXPECT_GT(speed->prompt_tokens, 32);
  EXPECT_GT(speed->answer_tokens, 1);
  EXPECT_GT(speed->load_seconds, 0);
  EXPECT_EQ(speed->texts_rate, 0);
  EXPECT_EQ(speed->on, measured_on(model_.sha256, 1));
  EXPECT_EQ(steps.size(), 3u);
}

TEST_F(SpeedOnRealWeights, StopsWhereItIsToldTo) {
  stop_.raise();
  const auto speed = measure_speed(model_, {}, clock_, stop_);
  ASSERT_FALSE(speed);
  EXPECT_EQ(speed.error().code, ErrorCode::Interrupted);
}

}  // namespace
}  // namespace tinyarms::eval
