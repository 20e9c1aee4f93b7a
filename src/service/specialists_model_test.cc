// Specialists and an ensemble on real weights, through the whole composition. One file under two
// names stands for two models: what is looked at is who was asked and what it cost.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/temporary_folder.h"
#include "service/assistant.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;
namespace signal = cascade::signal;

class SpecialistsWithModel : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("TINYARMS_TEST_MODELS");
    const fs::path weights =
        fs::path(folder == nullptr ? "" : folder) / "smollm2-135m-instruct.q4_1.gguf";
    if (!fs::exists(weights)) {
      GTEST_SKIP() << "SKIPPED: SmolLM2's weights are missing: run ./setup/install, which puts "
                      "smollm2-135m-instruct.q4_1.gguf into $TINYARMS_TEST_MODELS";
    }
    paths_.models_dir = root_ / "models";
    paths_.cache_dir = root_ / "cache";
    paths_.data_dir = root_ / "data";
    fs::create_directories(paths_.models_dir);
    fs::create_symlink(weights, paths_.models_dir / "usual.gguf");
    fs::create_symlink(weights, paths_.models_dir / "other.gguf");
    settings_.l0.enabled = false;
    settings_.l1.enabled = false;
    settings_.l3.enabled = false;
    settings_.l2.model = "usual";
    settings_.l2.context = 512;
    settings_.sampling.max_tokens = 8;
  }

  cascade::Reply ask(const std::string& question, const std::string& group,
                     const std::string& model = {}) {
    Assistant assistant(settings_,
                        {.paths = paths_, .clock = clock_, .physical_bytes = 4ULL << 30});
    cascade::Request request = make_request(settings_);
    request.messages.push_back({cascade::Role::User, question});
    request.group = group;
    request.model = model;
    cascade::Listener nobody;
    return assistant.ask(request, StopFlag(), nobody);
  }

  const SystemClock clock_;
  const TemporaryFolder root_;
  Paths paths_;
  Settings settings_;
};

TEST_F(SpecialistsWithModel, EachKindHasItsModelAndItsThreshold) {
  settings_.l2.specialists = {{"maths", "other"}};
  settings_.l2.thresholds = {{"maths", 1.0}};
  const cascade::Reply maths = ask("What is 2 + 2?", "maths");
  ASSERT_NE(maths.step(), nullptr);
  EXPECT_EQ(maths.step()->attempt.source, "other");
  EXPECT_EQ(maths.step()->attempt.evidence.text(signal::kRouteReason), "maths → other");
  EXPECT_EQ(maths.step()->threshold, 1.0);
  EXPECT_FALSE(maths.sure);
  const cascade::Reply code = ask("Reverse a list.", "code");
  ASSERT_NE(code.step(), nullptr);
  EXPECT_EQ(code.step()->attempt.source, "usual");
  EXPECT_EQ(code.step()->threshold, 0.6);
  EXPECT_EQ(ask("What is 2 + 2?", "maths", "usual").step()->attempt.source, "usual");
}

TEST_F(SpecialistsWithModel, BothOfAnEnsembleAreAskedAndPaidFor) {
  const cascade::Reply alone = ask("Name a colour.", "general");
  settings_.l2.ensemble = {"usual", "other"};
  const cascade::Reply both = ask("Name a colour.", "general");
  ASSERT_NE(alone.step(), nullptr);
  ASSERT_NE(both.step(), nullptr);
  const cascade::Attempt& taken = both.step()->attempt;
  EXPECT_EQ(taken.answer, alone.step()->attempt.answer);
  EXPECT_EQ(taken.source, "usual");
  EXPECT_EQ(taken.evidence.number(signal::kEnsembleAgreement), 1.0);
  EXPECT_EQ(taken.cost.completion_tokens, 2 * alone.step()->attempt.cost.completion_tokens);
  ASSERT_EQ(taken.others.size(), 1u);
  EXPECT_EQ(taken.others[0].source, "other");
  EXPECT_EQ(taken.others[0].answer, taken.answer);
}

}  // namespace
}  // namespace tinyarms::service
