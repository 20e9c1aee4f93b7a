// With a model of a few kilobytes and random weights, as in generator_test.cc.
#include "engine/scheduler/scheduler.h"

#include <gtest/gtest.h>

#include <llama.h>

#include <atomic>
#include <thread>

#include "base/utf8.h"
#include "engine/scheduler/scheduled_generator.h"
#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using testing::TemporaryFolder;

class SchedulerTest : public ::testing::Test {
 protected:
  void open(SchedulerOptions options = {}, const testing::TinyOptions& tiny = {}) {
    testing::write_tiny_model(folder_ / "tiny.gguf", tiny);
    auto model = LanguageModel::load(folder_ / "tiny.gguf");
    ASSERT_TRUE(model) << model.error().message();
    scheduler_.reset();
    model_ = std::move(*model);
    options.context_tokens = std::min(options.context_tokens, 512u);
    auto scheduler = Scheduler::create(*model_, cores_, options);
    ASSERT_TRUE(scheduler) << scheduler.error().message();
    scheduler_ = std::move(*scheduler);
  }

  static CompletionRequest ask(const std::string& question, int tokens_max = 20) {
    CompletionRequest request;
    request.messages = {{"user", question}};
    request.tokens_max = tokens_max;
    return request;
  }

  std::unique_ptr<CompletionStream> submit(CompletionRequest request) {
    auto stream = scheduler_->submit(std::move(request));
    EXPECT_TRUE(stream) << stream.error().message();
    return stream ? std::move(*stream) : nullptr;
  }

  Completion answer(CompletionRequest request) {
    auto stream = submit(std::move(request));
    auto completion = stream->result();
    EXPECT_TRUE(completion) << completion.error().message();
    return completion ? *completion : Completion{};
  }

  std::string alone(const CompletionRequest& request) {
    auto generator = Generator::create(*model_, {.context_tokens = 512, .threads = 1});
    StopFlag stop;
    auto generation = (*generator)->generate(
        request.messages,
        {.tokens_max = request.tokens_max, .temperature = request.sampling.temperature,
         .seed = request.sampling.seed},
        stop, {});
    return generation ? generation->text : generation.error().message();
  }

  TemporaryFolder folder_;
  CoreBudget cores_{1};
  std::unique_ptr<const LanguageModel> model_;
  std::unique_ptr<Scheduler> scheduler_;
};

TEST_F(SchedulerTest, AnswersAsAGeneratorDoes) {
  open();
  CompletionRequest request = ask("hello", 40);
  EXPECT_EQ(answer(request).text, alone(request));
  request.sampling = {.temperature = 1.3, .seed = 7};
  const Completion sampled = answer(request);
  EXPECT_EQ(sampled.text, alone(request));
  EXPECT_EQ(sampled.statistics.tokens, sampled.completion_tokens);
  EXPECT_GT(sampled.cached_tokens, 0);  // the same prompt again
}

// The caller's own test sees every margin but the last token's, and ends the answer within a token.
TEST_F(SchedulerTest, GivesUpWhereTheCallerSaysSo) {
  open();
  const Completion whole = answer(ask("hello", 30));
  ASSERT_GT(whole.completion_tokens, 8);
  std::vector<float> seen;
  CompletionRequest request = ask("hello", 30);
  request.scope = "cold";  // in passes of the same shape: the same to the bit
  request.give_up = [&](float margin) {
    seen.push_back(margin);
    return false;
  };
  EXPECT_EQ(answer(request).answer, whole.answer);
  EXPECT_EQ(seen, std::vector<float>(whole.margins.begin(), whole.margins.end() - 1));

  seen.clear();
  request.scope = "cold again";
  request.give_up = [&](float margin) {
    seen.push_back(margin);
    return seen.size() == 7;
  };
  const Completion stopped = answer(request);
  EXPECT_EQ(stopped.finish, FinishReason::Abandoned);
  EXPECT_EQ(stopped.completion_tokens, 7);
  EXPECT_EQ(stopped.margins, std::vector<float>(whole.margins.begin(), whole.margins.begin() + 7));
  EXPECT_EQ(stopped.answer, std::vector<int32_t>(whole.answer.begin(), whole.answer.begin() + 7));
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(answer(ask("hello", 30)).answer, whole.answer);  // nothing of it stays behind
}

TEST_F(SchedulerTest, ManyAtOnceAnswerAsEachAlone) {
  open({.parallel = 4, .kv_tokens = 2048});
  std::vector<CompletionRequest> requests;
  std::vector<std::unique_ptr<CompletionStream>> streams;
  for (int i = 0; i < 12; ++i) {
    requests.push_back(ask(std::string(static_cast<size_t>(1 + i * 9), 'q'), 10 + i));
    streams.push_back(submit(requests.back()));
  }
  for (size_t i = 0; i < streams.size(); ++i) {
    std::string shown;
    while (const auto event = streams[i]->next()) shown += event->text;
    auto completion = streams[i]->result();
    ASSERT_TRUE(completion) << completion.error().message();
    EXPECT_EQ(shown, completion->text);
    EXPECT_EQ(completion->text, alone(requests[i])) << i;
  }
  const SchedulerCounters counters = scheduler_->counters();
  EXPECT_EQ(counters.answered, 12u);
  EXPECT_EQ(counters.kv.sequences_running, 0u);
}

TEST_F(SchedulerTest, ASharedHeadIsComputedOnce) {
  open({.parallel = 4, .kv_tokens = 4096});
  const std::string head(300, 's');
  std::vector<std::unique_ptr<CompletionStream>> streams;
  size_t prompts = 0;
  for (int i = 0; i < 20; ++i) {
    CompletionRequest request = ask("question " + std::to_string(i), 3);
    request.messages.insert(request.messages.begin(), {"system", head});
    streams.push_back(submit(std::move(request)));
  }
  size_t cached = 0;
  for (auto& stream : streams) {
    auto completion = stream->result();
    ASSERT_TRUE(completion) << completion.error().message();
    prompts += static_cast<size_t>(completion->prompt_tokens);
    cached += static_cast<size_t>(completion->cached_tokens);
  }
  EXPECT_GE(cached, 19 * head.size());
  EXPECT_LE(scheduler_->counters().kv.tokens_computed, prompts - cached + 20 * 3);
}

TEST_F(SchedulerTest, TheNextTurnOfAConversationStartsWhereTheLastEnded) {
  open();
  CompletionRequest first = ask(std::string(200, 'x'), 30);
  const Completion reply = answer(first);
  CompletionRequest second = ask(std::string(200, 'x'), 10);
  second.messages.push_back({"assistant", reply.text});
  second.messages.push_back({"user", "and then?"});
  const Completion next = answer(second);
  EXPECT_GE(next.cached_tokens, reply.prompt_tokens);
  EXPECT_EQ(next.text, alone(second));
}

TEST_F(SchedulerTest, ScopesShareNothing) {
  open();
  CompletionRequest request = ask(std::string(100, 'x'), 3);
  request.scope = "one";
  answer(request);
  request.scope = "other";
  EXPECT_EQ(answer(request).cached_tokens, 0);
  EXPECT_GT(answer(request).cached_tokens, 100);
}

TEST_F(SchedulerTest, RoomIsMadeByLettingGoOfWhatIsKept) {
  open({.kv_tokens = 512});
  for (int i = 0; i < 12; ++i) {
    CompletionRequest request = ask(std::string(200, static_cast<char>('a' + i)), 5);
    EXPECT_EQ(answer(request).text, alone(request)) << i;
  }
  const SchedulerCounters counters = scheduler_->counters();
  EXPECT_GT(counters.kv.evictions, 5u);
  EXPECT_LE(counters.kv.cells_used, counters.kv.cells);
}

// One sequence and nothing kept: each request takes the place of the one before.
TEST_F(SchedulerTest, ASingleSequenceServesOneAfterAnother) {
  open({.kept_sequences = 0});
  for (const char* question : {"hello", "hello", "something else", "hello"}) {
    EXPECT_EQ(answer(ask(question)).text, alone(ask(question))) << question;
  }
}

TEST_F(SchedulerTest, AFullQueueRefuses) {
  std::atomic<bool> held{true};
  open({.queue_max = 2, .decode = [&](llama_context* context, const llama_batch& batch) {
          while (held) std::this_thread::yield();
          return llama_decode(context, batch);
        }});
  std::vector<std::unique_ptr<CompletionStream>> streams;
  Result<std::unique_ptr<CompletionStream>> refused(Error{});
  for (int i = 0; i < 4; ++i) {
    auto stream = scheduler_->submit(ask("hello", 2));
    if (stream) {
      streams.push_back(std::move(*stream));
    } else {
      refused = std::move(stream);
    }
  }
  held = false;
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
  EXPECT_NE(refused.error().message().find("overloaded"), std::string::npos);
  EXPECT_GE(scheduler_->counters().refused, 1u);
  for (auto& stream : streams) EXPECT_TRUE(stream->result());
}

TEST_F(SchedulerTest, ACancelledAnswerKeepsWhatThereIs) {
  open();
  CompletionRequest request = ask("hello", 400);
  request.sampling = {.temperature = 1, .seed = 5};
  auto stream = submit(request);
  ASSERT_TRUE(stream->next());
  stream->cancel();
  auto completion = stream->result();
  ASSERT_TRUE(completion) << completion.error().message();
  if (completion->finish == FinishReason::Interrupted) {
    EXPECT_LT(completion->completion_tokens, 400);
  }
  { auto let_go = submit(request); }  // cancels as well
  EXPECT_TRUE(submit(ask("still there?", 3))->result());
}

TEST_F(SchedulerTest, TimeThatIsUpEndsARequest) {
  open();
  CompletionRequest request = ask("hello");
  request.seconds_max = 0;
  auto late = submit(request)->result();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::Interrupted);
  StopFlag stop;
  stop.raise();
  request.seconds_max.reset();
  request.stop_flag = &stop;
  EXPECT_EQ(submit(request)->result().error().code, ErrorCode::Interrupted);
}

TEST_F(SchedulerTest, AnInteractiveRequestTakesTheBatchesPlace) {
  std::atomic<int> passes{0};
  std::atomic<bool> held{true};
  open({.parallel = 1, .kv_tokens = 1024,
        .decode = [&](llama_context* context, const llama_batch& batch) {
          while (++passes > 5 && held) std::this_thread::yield();
          return llama_decode(context, batch);
        }});
  CompletionRequest patient = ask("a long task", 200);
  patient.priority = Priority::Batch;
  patient.sampling.logit_bias = {{258, -1000}};  // does not end by itself
  CompletionRequest urgent = ask("quick", 3);
  auto slow = submit(patient);
  ASSERT_TRUE(slow->next());
  auto quick = submit(urgent);
  held = false;
  EXPECT_TRUE(quick->result());
  EXPECT_EQ(scheduler_->counters().parked, 1u);
  auto completion = slow->result();
  ASSERT_TRUE(completion) << completion.error().message();
  EXPECT_EQ(completion->completion_tokens, 200);
}

// Only the one whose tokens cannot be computed fails.
TEST_F(SchedulerTest, AFailedPassConcernsWhoeverFailsAlone) {
  open({.parallel = 3, .kv_tokens = 1536,
        .decode = [](llama_context* context, const llama_batch& batch) {
          for (int i = 0; i < batch.n_tokens; ++i) {
            if (batch.token[i] == 'Z') return -3;
          }
          return llama_decode(context, batch);
        }});
  const auto bad_token = [&] {
    CompletionRequest request;
    request.prompt = "Z";
    return request;
  };
  llama_token z = 0;
  llama_tokenize(llama_model_get_vocab(model_->handle()), "Z", 1, &z, 1, false, false);
  ASSERT_EQ(z, 'Z');
  std::vector<std::unique_ptr<CompletionStream>> good;
  CompletionRequest request = ask("hello", 15);
  request.sampling.logit_bias = {{z, -1000}};
  good.push_back(submit(request));
  auto bad = submit(bad_token());
  good.push_back(submit(request));
  EXPECT_EQ(bad->result().error().code, ErrorCode::Internal);
  for (auto& stream : good) {
    auto completion = stream->result();
    ASSERT_TRUE(completion) << completion.error().message();
  }
  EXPECT_EQ(scheduler_->counters().failed, 1u);
}

TEST_F(SchedulerTest, JsonOfASchemaIsJson) {
  open();
  CompletionRequest request = ask("hello", 200);
  request.sampling = {.temperature = 1.5, .top_p = 0.95, .seed = 3};
  request.json_schema = R"({"type":"object","properties":{"a":{"type":"boolean"}},)"
                        R"("required":["a"],"additionalProperties":false})";
  const std::string text = answer(request).text;
  EXPECT_TRUE(text.find("\"a\"") != std::string::npos) << text;
  EXPECT_TRUE(text.find("true") != std::string::npos || text.find("false") != std::string::npos);
  request.json_schema = "{\"type\": 7";
  EXPECT_EQ(scheduler_->submit(request).error().code, ErrorCode::InvalidArgument);
  request.json_schema = std::string(100, '[');
  EXPECT_EQ(scheduler_->submit(request).error().code, ErrorCode::InvalidArgument);
  request.json_schema.clear();
  request.grammar = "root ::= \"yes\" | \"no\"";
  const std::string word = answer(request).text;
  EXPECT_TRUE(word == "yes" || word == "no") << word;
  request.grammar = "root ::= nonsense";
  EXPECT_EQ(scheduler_->submit(request).error().code, ErrorCode::InvalidArgument);
}

TEST_F(SchedulerTest, BadOptionsAreRefused) {
  open();
  const auto refused = [&](auto change) {
    CompletionRequest request = ask("hello");
    change(request);
    auto stream = scheduler_->submit(std::move(request));
    return !stream && stream.error().code == ErrorCode::InvalidArgument;
  };
  EXPECT_TRUE(refused([](auto& r) { r.messages.clear(); }));
  EXPECT_TRUE(refused([](auto& r) { r.messages[0].role = "root"; }));
  EXPECT_TRUE(refused([](auto& r) { r.messages[0].content = "\xFF"; }));
  EXPECT_TRUE(refused([](auto& r) { r.tokens_max = 0; }));
  EXPECT_TRUE(refused([](auto& r) { r.sampling.top_p = 0; }));
  EXPECT_TRUE(refused([](auto& r) { r.sampling.min_p = 2; }));
  EXPECT_TRUE(refused([](auto& r) { r.sampling.temperature = -1; }));
  EXPECT_TRUE(refused([](auto& r) { r.sampling.logit_bias = {{100000, 1}}; }));
  EXPECT_TRUE(refused([](auto& r) { r.top_logprobs = 99; }));
}

TEST_F(SchedulerTest, TokensAreReportedWithTheirAlternatives) {
  open();
  CompletionRequest request = ask("hello", 5);
  request.top_logprobs = 3;
  const Completion completion = answer(request);
  ASSERT_EQ(completion.tokens.size(), static_cast<size_t>(completion.completion_tokens));
  for (const TokenReport& token : completion.tokens) {
    ASSERT_EQ(token.top.size(), 3u);
    EXPECT_EQ(token.top[0].logprob, token.chosen.logprob);  // greedy
    EXPECT_GE(token.top[0].logprob, token.top[1].logprob);
  }
}

TEST_F(SchedulerTest, GoingEndsWhatIsUnderWay) {
  open();
  CompletionRequest request = ask("hello", 490);
  request.sampling.logit_bias = {{258, -1000}};
  auto running = submit(request);
  auto waiting = submit(request);
  scheduler_.reset();
  EXPECT_TRUE(running->finished());
  const auto ended = waiting->result();
  EXPECT_TRUE(ended || ended.error().code == ErrorCode::Interrupted);
}

TEST_F(SchedulerTest, AGeneratorOverIt) {
  open();
  const std::string expected = alone(ask("hello", 12));
  ScheduledGenerator generator(std::move(scheduler_));
  StopFlag stop;
  std::string shown;
  const std::vector<ChatMessage> messages = {{"user", "hello"}};
  auto generation = generator.generate(messages, {.tokens_max = 12}, stop,
                                       [&](std::string_view piece) { shown += piece; });
  ASSERT_TRUE(generation) << generation.error().message();
  EXPECT_EQ(generation->text, expected);
  EXPECT_EQ(shown, expected);
}

}  // namespace
}  // namespace tinyarms::engine
