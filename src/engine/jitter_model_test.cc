#include "engine/jitter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

namespace tinyarms::engine {
namespace {

TEST(JitterModel, EveryWayGivesNearlyTheSame) {
  const char* folder = std::getenv("TINYARMS_TEST_MODELS");
  const std::filesystem::path path =
      std::filesystem::path(folder == nullptr ? "" : folder) / "smollm2-135m-instruct.q4_1.gguf";
  if (!std::filesystem::exists(path)) {
    GTEST_SKIP() << "SmolLM2's weights are missing: run ./setup/install, which puts "
                    "smollm2-135m-instruct.q4_1.gguf into $TINYARMS_TEST_MODELS";
  }
  auto model = LanguageModel::load(path);
  ASSERT_TRUE(model) << model.error().message();
  const GeneratorOptions options{.context_tokens = 512, .threads = 1};
  auto probe = JitterProbe::create(**model, options);
  ASSERT_TRUE(probe) << probe.error().message();
  const std::vector<ChatMessage> question = {{"user", "What is a mutex?"}};
  StopFlag stop;
  auto sample = (*probe)->measure(question, 12, stop);
  ASSERT_TRUE(sample) << sample.error().message();
  EXPECT_EQ(sample->answer_tokens, 12);
  for (const Way way : kWays) {
    const WayResult& result = sample->ways[static_cast<size_t>(way)];
    const AnswerStatistics& cold = sample->ways[0].statistics;
    EXPECT_EQ(result.statistics.tokens, 12) << way_name(way);
    EXPECT_NEAR(result.statistics.margin_mean, cold.margin_mean, 0.05) << way_name(way);
    EXPECT_NEAR(result.statistics.logprob_mean, cold.logprob_mean, 0.1) << way_name(way);
  }
  EXPECT_EQ(sample->ways[0].other_choices, 0);

  // The reference is what the generator does.
  auto generator = Generator::create(**model, options);
  ASSERT_TRUE(generator);
  auto answer = (*generator)->generate(question, {.tokens_max = 12}, stop, {});
  ASSERT_TRUE(answer);
  EXPECT_NEAR(answer->statistics.margin_mean, sample->ways[0].statistics.margin_mean, 1e-3);

  EXPECT_FALSE((*probe)->measure({}, 12, stop));
  EXPECT_FALSE((*probe)->measure(question, 4000, stop));
  stop.raise();
  EXPECT_FALSE((*probe)->measure(question, 12, stop));
}

}  // namespace
}  // namespace tinyarms::engine
