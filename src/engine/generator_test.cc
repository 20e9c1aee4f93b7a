// With a model of a few kilobytes and random weights: its answers are noise, but they are the
// same noise every time, and everything around them is real.
#include "engine/generator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "base/utf8.h"
#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using testing::TemporaryFolder;

class GeneratorTest : public ::testing::Test {
 protected:
  void open(const testing::TinyOptions& tiny = {}, uint32_t context = 512) {
    testing::write_tiny_model(folder_ / "tiny.gguf", tiny);
    auto model = LanguageModel::load(folder_ / "tiny.gguf");
    ASSERT_TRUE(model) << model.error().message();
    generator_.reset();
    model_ = std::move(*model);
    auto generator = Generator::create(
        *model_, {.context_tokens = context, .batch_tokens = 32, .threads = 1});
    ASSERT_TRUE(generator) << generator.error().message();
    generator_ = std::move(*generator);
  }

  Result<Generation> ask(const std::string& question, const GenerateOptions& options = {}) {
    const std::vector<ChatMessage> messages = {{"user", question}};
    return generator_->generate(messages, options, stop_,
                                [this](std::string_view piece) { shown_ += piece; });
  }

  TemporaryFolder folder_;
  std::unique_ptr<const LanguageModel> model_;
  std::unique_ptr<Generator> generator_;
  StopFlag stop_;
  std::string shown_;
};

TEST_F(GeneratorTest, AnswersWithEvidenceForEveryToken) {
  open();
  auto answer = ask("hello", {.tokens_max = 40, .temperature = 1, .seed = 5});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->statistics.tokens, answer->completion_tokens);
  EXPECT_LE(answer->completion_tokens, 40);
  EXPECT_EQ(shown_, answer->text);
  EXPECT_FALSE(find_invalid_utf8(answer->text));
  EXPECT_EQ(answer->text.find("<|im_end|>"), std::string::npos);
  EXPECT_LE(answer->statistics.probability_min, answer->statistics.probability_q10);
  EXPECT_LE(answer->statistics.probability_q10, answer->statistics.probability_mean + 1e-9);
  EXPECT_LE(answer->statistics.entropy_max, std::log(259.0) + 1e-3);
  EXPECT_LT(answer->statistics.sequence_logprob, 0);
  EXPECT_GT(answer->prompt_tokens, 10);
  EXPECT_GT(answer->prefill_seconds, 0);
}

TEST_F(GeneratorTest, GreedyAndSeededAnswersRepeat) {
  open();
  const GenerateOptions greedy{.tokens_max = 30};
  const GenerateOptions sampled{.tokens_max = 30, .temperature = 1.5, .seed = 3};
  const std::string first = ask("hello", greedy)->text;
  const std::string drawn = ask("hello", sampled)->text;
  ASSERT_TRUE(ask("something else entirely", greedy));  // leaves nothing behind
  EXPECT_EQ(ask("hello", greedy)->text, first);
  EXPECT_EQ(ask("hello", sampled)->text, drawn);
  GenerateOptions other = sampled;
  other.seed = 4;
  EXPECT_NE(ask("hello", other)->text, drawn);
}

TEST_F(GeneratorTest, StopsAtTheLimit) {
  open();
  auto answer = ask("hello", {.tokens_max = 3, .temperature = 1, .seed = 5});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->finish, FinishReason::Length);
  EXPECT_EQ(answer->completion_tokens, 3);
}

TEST_F(GeneratorTest, StopsBeforeAStopSequence) {
  open();
  const GenerateOptions free{.tokens_max = 60, .temperature = 1, .seed = 9};
  const std::string whole = ask("hello", free)->text;
  ASSERT_GT(whole.size(), 12u);
  // Characters from the middle, wherever the tokens' borders lie.
  size_t begin = complete_utf8_prefix(std::string_view(whole).substr(0, whole.size() / 2));
  size_t end = begin + complete_utf8_prefix(std::string_view(whole).substr(begin, 8));
  const std::string mark = whole.substr(begin, end - begin);
  GenerateOptions stopping = free;
  stopping.stop = {mark};
  auto answer = ask("hello", stopping);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->finish, FinishReason::Stop);
  EXPECT_EQ(answer->text, whole.substr(0, whole.find(mark)));
}

TEST_F(GeneratorTest, TooLongAPromptIsRefusedWithBothNumbers) {
  open({}, 256);
  auto answer = ask(std::string(2000, 'x'));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::ContextTooLong);
  EXPECT_NE(answer.error().what.find("256"), std::string::npos) << answer.error().what;
  EXPECT_NE(answer.error().what.find("20"), std::string::npos) << answer.error().what;
  auto huge = ask(std::string(10'000'000, 'y'));
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, ErrorCode::ContextTooLong);
  EXPECT_NE(huge.error().what.find("at least"), std::string::npos);
  EXPECT_TRUE(ask("short again", {.tokens_max = 2}));
}

TEST_F(GeneratorTest, TheContextsEndEndsTheAnswer) {
  open({}, 256);
  auto answer = ask(std::string(200, 'x'), {.tokens_max = 500, .temperature = 1, .seed = 1});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_LE(answer->prompt_tokens + answer->completion_tokens, 256);
  if (answer->finish == FinishReason::Length) {
    EXPECT_EQ(answer->prompt_tokens + answer->completion_tokens, 256);
  }
}

TEST_F(GeneratorTest, RaisedBeforeTheStartIsInterrupted) {
  open();
  stop_.raise();
  auto answer = ask("hello");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Interrupted);
}

TEST_F(GeneratorTest, RaisedWhileAnsweringKeepsWhatThereIs) {
  open();
  const std::vector<ChatMessage> messages = {{"user", "hello"}};
  int pieces = 0;
  auto answer = generator_->generate(
      messages, {.tokens_max = 400, .temperature = 1, .seed = 5}, stop_,
      [&](std::string_view) {
        if (++pieces == 3) stop_.raise();
      });
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->finish, FinishReason::Interrupted);
  EXPECT_EQ(pieces, 3);  // within the token
  EXPECT_FALSE(answer->text.empty());
  EXPECT_EQ(answer->statistics.tokens, answer->completion_tokens);
}

TEST_F(GeneratorTest, BadRequestsAreRefused) {
  open();
  const auto code = [&](std::vector<ChatMessage> messages, const GenerateOptions& options) {
    auto answer = generator_->generate(messages, options, stop_, {});
    EXPECT_FALSE(answer);
    return answer ? ErrorCode::Internal : answer.error().code;
  };
  EXPECT_EQ(code({}, {}), ErrorCode::InvalidArgument);
  EXPECT_EQ(code({{"root", "x"}}, {}), ErrorCode::InvalidArgument);
  EXPECT_EQ(code({{"user", "\xFF"}}, {}), ErrorCode::InvalidArgument);
  EXPECT_EQ(code({{"user", "x"}}, {.tokens_max = 0}), ErrorCode::InvalidArgument);
  EXPECT_EQ(code({{"user", "x"}}, {.temperature = -1}), ErrorCode::InvalidArgument);
  EXPECT_EQ(code({{"user", "x"}}, {.temperature = std::nan("")}), ErrorCode::InvalidArgument);
}

TEST_F(GeneratorTest, NulAndEmptyTextsPass) {
  open();
  EXPECT_TRUE(ask("", {.tokens_max = 2}));
  EXPECT_TRUE(ask(std::string("a\0b", 3), {.tokens_max = 2}));
}

TEST_F(GeneratorTest, WithoutAChatTemplateItSaysSo) {
  open({.chat_template = ""});
  auto answer = ask("hello");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Unsupported);
  EXPECT_NE(answer.error().hint.find("instruct"), std::string::npos);
}

TEST_F(GeneratorTest, ABrokenChatTemplateIsAnError) {
  for (const char* broken : {"{% for m in messages %}", "{{ raise_exception('no') }}",
                             "{{ messages[7]['content'] }}{{ nothing() }}"}) {
    open({.chat_template = broken});
    auto answer = ask("hello");
    ASSERT_FALSE(answer) << broken;
    EXPECT_EQ(answer.error().code, ErrorCode::Unsupported);
  }
}

TEST_F(GeneratorTest, AModelOfNaNIsAnError) {
  open({.scale = std::nanf("")});
  auto answer = ask("hello");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::Corrupt);
}

TEST_F(GeneratorTest, TwoThreadsWithAGeneratorEach) {
  open();
  auto other = Generator::create(*model_, {.context_tokens = 256, .threads = 1});
  ASSERT_TRUE(other);
  const std::vector<ChatMessage> messages = {{"user", "hello"}};
  const GenerateOptions options{.tokens_max = 20};
  std::string there;
  std::thread thread([&] {
    auto answer = (*other)->generate(messages, options, stop_, {});
    there = answer ? answer->text : answer.error().message();
  });
  auto here = generator_->generate(messages, options, stop_, {});
  thread.join();
  ASSERT_TRUE(here);
  EXPECT_EQ(here->text, there);
}

}  // namespace
}  // namespace tinyarms::engine
