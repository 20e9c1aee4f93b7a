#include "engine/choice_scorer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

namespace tinyarms::engine {
namespace {

class Choices : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("TINYARMS_TEST_MODELS");
    const std::filesystem::path path =
        std::filesystem::path(folder == nullptr ? "" : folder) / "smollm2-135m-instruct.q4_1.gguf";
    if (!std::filesystem::exists(path)) {
      GTEST_SKIP() << "SmolLM2's weights are missing: run ./setup/install, which puts "
                      "smollm2-135m-instruct.q4_1.gguf into $TINYARMS_TEST_MODELS";
    }
    auto model = LanguageModel::load(path);
    ASSERT_TRUE(model) << model.error().message();
    model_ = std::move(*model);
    auto scorer = ChoiceScorer::create(*model_, {.context_tokens = 512});
    ASSERT_TRUE(scorer) << scorer.error().message();
    scorer_ = std::move(*scorer);
  }

  std::vector<double> score(const std::string& prompt, const std::vector<std::string>& options,
                            size_t shared_bytes = 0) {
    const std::vector<ChatMessage> messages = {{"user", prompt}};
    auto scores = scorer_->score(
        {.messages = messages, .plain = true, .shared_bytes = shared_bytes}, options, stop_);
    EXPECT_TRUE(scores) << scores.error().message();
    return scores ? scores->logprobs : std::vector<double>(options.size(), NAN);
  }

  std::unique_ptr<const LanguageModel> model_;
  std::unique_ptr<ChoiceScorer> scorer_;
  StopFlag stop_;
};

TEST_F(Choices, KnowsTheCapitalOfFrance) {
  const auto scores = score("The capital of France is", {" Paris", " Oslo", " a banana"});
  EXPECT_GT(scores[0], scores[1]);
  EXPECT_GT(scores[1], scores[2]);
  EXPECT_LT(scores[0], 0);
}

// log p(ab) = log p(a) + log p(b | a): an option of several tokens is followed token by token, and
// leaves nothing behind for the option after it.
TEST_F(Choices, LongerOptionsAreTheSumOfTheirTokens) {
  const auto scores = score("One, two,", {" three, four", " three,", " three, four"});
  const auto rest = score("One, two, three,", {" four"});
  EXPECT_NEAR(scores[0], scores[1] + rest[0], 0.05);
  EXPECT_EQ(scores[0], scores[2]);
}

TEST_F(Choices, SameQuestionTwiceIsTheSameToTheBit) {
  EXPECT_EQ(score("Water is", {" wet", " dry"}), score("Water is", {" wet", " dry"}));
}

// Computed now, kept from the prompt before, or kept after prompts of another beginning: a run that
// is resumed in the middle gives the bits of one that was not.
TEST_F(Choices, SharedBeginningChangesNoBit) {
  const std::string head = "Snow is white. Coal is black. Grass is green. Blood is ";
  const std::vector<std::string> options = {" red", " a dark red", " blue"};
  const auto cold = score(head + "red. Ink is", options, head.size());
  score(head + "red and the sky above us is", options, head.size());
  EXPECT_EQ(score(head + "red. Ink is", options, head.size()), cold);
  score("Another beginning. Ink is", options, 18);
  EXPECT_EQ(score(head + "red. Ink is", options, head.size()), cold);
  const auto whole = score(head + "red. Ink is", options);
  for (size_t i = 0; i < options.size(); ++i) EXPECT_NEAR(whole[i], cold[i], 0.1);
}

TEST_F(Choices, SharedBeginningMayBeAllOfIt) {
  const std::vector<std::string> options = {" wet", " dry"};
  const auto cold = score("Water is", options, 8);
  EXPECT_EQ(score("Water is", options, 8), cold);
  EXPECT_EQ(score("Water is", options, 800), cold);
}

TEST_F(Choices, ChatPromptsAreRendered) {
  const std::vector<ChatMessage> messages = {{"user", "Say yes."}};
  auto chat = scorer_->score({.messages = messages}, std::vector<std::string>{"Yes", "Zebra"},
                             stop_);
  ASSERT_TRUE(chat);
  EXPECT_GT(chat->logprobs[0], chat->logprobs[1]);
  EXPECT_GT(chat->prompt_tokens, 8);
}

TEST_F(Choices, BadRequestsAreRefused) {
  const std::vector<ChatMessage> messages = {{"user", "x"}};
  const std::vector<std::string> none;
  const std::vector<std::string> empty = {""};
  EXPECT_EQ(scorer_->score({.messages = messages}, none, stop_).error().code,
            ErrorCode::InvalidArgument);
  EXPECT_EQ(scorer_->score({.messages = messages}, empty, stop_).error().code,
            ErrorCode::InvalidArgument);
  std::string lengthy;
  for (int i = 0; i < 600; ++i) lengthy += "word ";
  const std::vector<ChatMessage> too_long = {{"user", lengthy}};
  EXPECT_EQ(scorer_->score({.messages = too_long, .plain = true}, std::vector<std::string>{" a"},
                           stop_)
                .error()
                .code,
            ErrorCode::ContextTooLong);
  stop_.raise();
  EXPECT_EQ(
      scorer_->score({.messages = messages}, std::vector<std::string>{" a"}, stop_).error().code,
      ErrorCode::Interrupted);
}

}  // namespace
}  // namespace tinyarms::engine
