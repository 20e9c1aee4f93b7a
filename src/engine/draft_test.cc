// Drafts through a whole generator, with a model of a few kilobytes and random weights.
#include "engine/draft.h"

#include <gtest/gtest.h>

#include "engine/generator.h"
#include "engine/tiny_model_test.h"

namespace tinyarms::engine {
namespace {


class DraftTest : public testing::TinyModelTest {
 protected:
  void SetUp() override {
    TinyModelTest::SetUp();
    if (!HasFatalFailure()) open(16);
  }

  void open(uint32_t guesses_max) {
    auto generator =
        Generator::create(*model_, {.context_tokens = 256, .batch_tokens = 32, .threads = 1,
                                    .guesses_max = guesses_max});
    ASSERT_TRUE(generator) << generator.error().message();
    generator_ = std::move(*generator);
  }

  Generation ask(const GenerateOptions& options) {
    shown_.clear();
    const std::vector<ChatMessage> messages = {{"user", "hello there"}};
    auto answer = generator_->generate(messages, options, stop_,
                                       [this](std::string_view piece) { shown_ += piece; });
    EXPECT_TRUE(answer) << answer.error().message();
    return answer ? std::move(*answer) : Generation{};
  }

  static GenerateOptions with(const GenerateOptions& options, Draft draft) {
    GenerateOptions drafted = options;
    drafted.draft.draft = std::move(draft);
    drafted.draft.lookup = true;
    drafted.draft.lookup_in_prompt = true;
    return drafted;
  }

  std::unique_ptr<Generator> generator_;
  StopFlag stop_;
  std::string shown_;
};

TEST_F(DraftTest, TheAnswerIsTheSameWhateverTheDraft) {
  for (const double temperature : {0.0, 1.0}) {
    const GenerateOptions options{.tokens_max = 80, .temperature = temperature, .seed = 6};
    const Generation plain = ask(options);
    ASSERT_GT(plain.trail.tokens.size(), 20u);
    TokenTrail half = plain.trail;
    for (size_t i = half.tokens.size() / 2; i < half.tokens.size(); ++i) half.tokens[i] = 3;
    TokenTrail none = plain.trail;
    for (int32_t& token : none.tokens) token = (token + 1) % 256;
    for (const TokenTrail& trail : {plain.trail, half, none}) {
      const Generation drafted =
          ask(with(options, {.text = "not looked at", .trail = trail, .ended = false}));
      EXPECT_EQ(drafted.text, plain.text);
      EXPECT_EQ(drafted.trail.tokens, plain.trail.tokens);
      EXPECT_EQ(drafted.finish, plain.finish);
      EXPECT_EQ(shown_, plain.text);
      ASSERT_TRUE(drafted.draft);
      EXPECT_TRUE(drafted.draft->same_vocabulary);
      EXPECT_NEAR(drafted.statistics.sequence_logprob, plain.statistics.sequence_logprob, 1e-2);
    }
  }
}

TEST_F(DraftTest, AWholeDraftIsAgreedWith) {
  const GenerateOptions options{.tokens_max = 60};
  const Generation plain = ask(options);
  const Generation drafted =
      ask(with(options, {.text = plain.text, .trail = plain.trail, .ended = false}));
  ASSERT_TRUE(drafted.draft);
  EXPECT_EQ(drafted.draft->agreed, plain.completion_tokens);
  EXPECT_TRUE(drafted.draft->endorsed);
}

TEST_F(DraftTest, TokensOfAnotherVocabularyAreNeverUsed) {
  const GenerateOptions options{.tokens_max = 60};
  const Generation plain = ask(options);
  TokenTrail foreign = plain.trail;
  foreign.vocabulary = "another";
  for (int32_t& token : foreign.tokens) token = 1 << 30;
  const Generation drafted =
      ask(with(options, {.text = plain.text, .trail = foreign, .ended = false}));
  ASSERT_TRUE(drafted.draft);
  EXPECT_FALSE(drafted.draft->same_vocabulary);
  EXPECT_EQ(drafted.trail.tokens, plain.trail.tokens);
  // Ids that lie about their vocabulary do no harm either.
  foreign.vocabulary = plain.trail.vocabulary;
  EXPECT_EQ(ask(with(options, {.text = "", .trail = foreign, .ended = true})).trail.tokens,
            plain.trail.tokens);
}

TEST_F(DraftTest, EndorsesByLikelihoodWhereAskedTo) {
  const Generation own = ask({.tokens_max = 40});
  Draft draft{.text = "x", .trail = own.trail, .ended = true};
  draft.trail.tokens.resize(20);
  draft.trail.tokens[10] = (draft.trail.tokens[10] + 1) % 256;
  draft.trail.tokens.push_back(258);  // <|im_end|>
  GenerateOptions options = with({.tokens_max = 40}, draft);
  options.draft.endorse_from = 1e-30;
  const Generation endorsed = ask(options);
  EXPECT_TRUE(endorsed.draft->endorsed);
  EXPECT_EQ(endorsed.trail.tokens, draft.trail.tokens);
  EXPECT_EQ(endorsed.finish, FinishReason::Stop);
  EXPECT_EQ(endorsed.draft->checked, 21);
  options.draft.endorse_from = 0.9999;
  const Generation refused = ask(options);
  EXPECT_FALSE(refused.draft->endorsed);
  EXPECT_EQ(refused.trail.tokens, own.trail.tokens);
}

TEST_F(DraftTest, WithoutRoomForGuessesADraftIsPassedOver) {
  const Generation plain = ask({.tokens_max = 30});
  open(0);
  const Generation alone =
      ask(with({.tokens_max = 30}, {.text = plain.text, .trail = plain.trail, .ended = true}));
  EXPECT_EQ(alone.trail.tokens, plain.trail.tokens);
  EXPECT_FALSE(alone.draft);
}

TEST_F(DraftTest, ADraftLongerThanTheContextIsCut) {
  const GenerateOptions options{.tokens_max = 1000, .temperature = 1, .seed = 2};
  const Generation plain = ask(options);
  Draft endless{.text = std::string(5000, 'a'), .trail = {}, .ended = true};
  EXPECT_EQ(ask(with(options, endless)).trail.tokens, plain.trail.tokens);
}

}  // namespace
}  // namespace tinyarms::engine
