#include "tiers/api_engine.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <tuple>

#include "remote/scripted_server.h"
#include "tiers/remote_tier.h"

namespace tinyarms::tiers {
namespace {

using cascade::Level;
using remote::testing::event;
using remote::testing::http_reply;
using remote::testing::ScriptedServer;
namespace signal = cascade::signal;

std::string counted_answer(const std::string& text, int prompt, int completion) {
  return http_reply(
      200, "text/event-stream",
      event(R"({"model":"m1","choices":[{"delta":{"content":")" + text +
            R"("},"finish_reason":"stop"}]})") +
          event(R"({"choices":[],"usage":{"prompt_tokens":)" + std::to_string(prompt) +
                R"(,"completion_tokens":)" + std::to_string(completion) + "}}") +
          event("[DONE]"));
}

class ApiEngineTest : public ::testing::Test {
 protected:
  ApiEngineTest() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "api-engine-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    request_.messages = {{cascade::Role::User, "Hi"}};
    request_.offline = false;
    request_.sampling.tokens_max = 100;
  }
  ~ApiEngineTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  ApiEngineOptions options(const ScriptedServer& server, DailyBudget* budget = nullptr) const {
    return {.urls = {server.url()},
            .model = "m",
            .price = [] { return storage::TokenPrice{1e6, 1e6}; },  // a dollar a token
            .budget = budget};
  }
  DailyBudget budget(double dollars) { return {folder_ / "spending.sqlite", dollars, clock_}; }
  Result<cascade::Attempt> ask(ApiEngine& engine) {
    return engine.complete(request_, {}, stop_, nobody_);
  }

  const SystemClock clock_;
  const StopFlag stop_;
  cascade::Listener nobody_;
  cascade::Request request_;
  std::filesystem::path folder_;
};

TEST_F(ApiEngineTest, SaysWhoAnsweredAndWhatItCost) {
  ScriptedServer broken({http_reply(500, "application/json", "{}")});
  ScriptedServer server({counted_answer("Yes", 5, 2)});
  ApiEngineOptions both = options(server);
  both.urls = {broken.url(), server.url()};
  ApiEngine engine(both, clock_);
  const auto attempt = ask(engine);
  ASSERT_TRUE(attempt) << attempt.error().message();
  EXPECT_EQ(attempt->answer, "Yes");
  EXPECT_EQ(attempt->cost.dollars, 7);
  EXPECT_EQ(attempt->evidence.text(signal::kUpstream), remote::place_of(server.url()));
  EXPECT_EQ(attempt->evidence.text(signal::kUpstreamsPassed),
            remote::place_of(broken.url()) + ": HTTP 500");
  EXPECT_FALSE(attempt->evidence.text(signal::kBudget));
}

// An address that reaches this machine and is not spelt so stands for one elsewhere.
TEST_F(ApiEngineTest, IsToldOfItsSpanByWhomTheUserTrusts) {
  request_.provenance.span = TraceContext{1, 2, 3};
  const std::string header =
      "traceparent: " + traceparent_of(part_of(request_.provenance.span, 0)) + "\r\n";
  for (const auto& [reach, elsewhere, told] :
       {std::tuple(TraceReach::Nobody, false, false),
        std::tuple(TraceReach::ThisMachine, false, true),
        std::tuple(TraceReach::ThisMachine, true, false),
        std::tuple(TraceReach::Everybody, true, true)}) {
    ScriptedServer server({counted_answer("Yes", 5, 2)});
    ApiEngineOptions own = options(server);
    own.traces = reach;
    if (elsewhere) own.urls[0].replace(own.urls[0].find("127.0.0.1"), 9, "127.1");
    ApiEngine engine(own, clock_);
    ASSERT_TRUE(ask(engine));
    const std::string sent = server.requests()[0];
    EXPECT_EQ(sent.find(header) != std::string::npos, told) << sent;
    EXPECT_EQ(sent.find("traceparent") != std::string::npos, told) << sent;
  }
}

TEST_F(ApiEngineTest, WhoIsNotTracedTellsNobody) {
  ScriptedServer server({counted_answer("Yes", 5, 2)});
  ApiEngineOptions own = options(server);
  own.traces = TraceReach::Everybody;
  ApiEngine engine(own, clock_);
  ASSERT_TRUE(ask(engine));
  EXPECT_EQ(server.requests()[0].find("traceparent"), std::string::npos);
}

TEST_F(ApiEngineTest, ABudgetIsSettledWithWhatWasPaid) {
  ScriptedServer server({counted_answer("Yes", 5, 2), counted_answer("Yes", 5, 2)});
  DailyBudget budget = this->budget(200);
  ApiEngine engine(options(server, &budget), clock_);
  const auto attempt = ask(engine);
  ASSERT_TRUE(attempt) << attempt.error().message();
  EXPECT_NE(attempt->evidence.text(signal::kBudget)->find("7.0000 of 200.0000"),
            std::string::npos);
  EXPECT_TRUE(ask(engine));
  EXPECT_NE(budget.describe().find("14.0000 of 200.0000"), std::string::npos);
}

TEST_F(ApiEngineTest, APaidUpDayIsATypedRefusalAndNoCall) {
  ScriptedServer server({counted_answer("Yes", 150, 60)});
  DailyBudget budget = this->budget(200);
  ApiEngine engine(options(server, &budget), clock_);
  ASSERT_TRUE(ask(engine));  // more than was foreseen: it is counted all the same
  const auto refused = ask(engine);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OverBudget);
  EXPECT_NE(refused.error().message().find("is spent"), std::string::npos);
  EXPECT_EQ(server.requests().size(), 1u);

  // A climb leaves the tier out from now on; asked for by name it goes on saying so as an error.
  RemoteTier tier({.urls = {server.url()}, .model = "m"}, &engine);
  ASSERT_TRUE(tier.skip_reason(request_, {}));
  EXPECT_NE(tier.skip_reason(request_, {})->find("budget is spent"), std::string::npos);
  request_.only_level = Level::L4;
  EXPECT_FALSE(tier.skip_reason(request_, {}));
}

TEST_F(ApiEngineTest, WhatADaySpentIsToldToItsOwnerAlone) {
  ScriptedServer server({counted_answer("Yes", 150, 60)});
  DailyBudget budget = this->budget(200);
  ApiEngine engine(options(server, &budget), clock_);
  request_.owner = "somebody's key";
  const auto attempt = ask(engine);
  ASSERT_TRUE(attempt) << attempt.error().message();
  EXPECT_FALSE(attempt->evidence.text(signal::kBudget));
  const auto refused = ask(engine);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OverBudget);
  EXPECT_EQ(refused.error().message().find("210"), std::string::npos);
  EXPECT_EQ(refused.error().message().find("200"), std::string::npos);
}

TEST_F(ApiEngineTest, AQuestionThatCouldGoPastItIsNotAsked) {
  ScriptedServer server({});
  DailyBudget budget = this->budget(50);  // the answer alone may have 100 tokens
  ApiEngine engine(options(server, &budget), clock_);
  const auto refused = ask(engine);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OverBudget);
  EXPECT_NE(refused.error().message().find("no room"), std::string::npos);
  EXPECT_FALSE(engine.skip_reason());  // a shorter one may fit
}

TEST_F(ApiEngineTest, WhatFailedBeforeItWasTakenCostsNothing) {
  const std::string down = http_reply(503, "application/json", "{}");
  ScriptedServer server({down, down, down});
  DailyBudget budget = this->budget(200);
  ApiEngine engine(options(server, &budget), clock_);
  EXPECT_FALSE(ask(engine));
  EXPECT_NE(budget.describe().find("0.0000 of"), std::string::npos);
}

// Raises the flag with the first piece of an answer, as a Ctrl-C or a client that left would.
class Leaver final : public cascade::Listener {
 public:
  explicit Leaver(StopFlag& stop) : stop_(stop) {}
  void text_generated(Level, std::string_view) override { stop_.raise(); }

 private:
  StopFlag& stop_;
};

const std::string kPiece = event(R"({"choices":[{"delta":{"content":"Yes, and"}}]})");

// "Hi" can be 34 tokens at most: its two bytes, and what a template puts around them.
TEST_F(ApiEngineTest, AnAnswerThatTheEngineBrokeOffCostsWhatWasWrittenOfIt) {
  ScriptedServer server({http_reply(200, "text/event-stream", kPiece)});
  DailyBudget budget = this->budget(200);
  ApiEngine engine(options(server, &budget), clock_);
  const auto failed = ask(engine);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::Unavailable);
  EXPECT_NE(budget.describe().find("42.0000 of 200.0000"), std::string::npos)
      << budget.describe();
}

TEST_F(ApiEngineTest, ACallOfAToolThatWasBrokenOffCostsToo) {
  ScriptedServer server({http_reply(
      200, "text/event-stream",
      event(R"({"choices":[{"delta":{"tool_calls":[{"index":0,"id":"1","function":)"
            R"({"name":"find","arguments":"{\"a"}}]}}]})"))});
  DailyBudget budget = this->budget(200);
  ApiEngine engine(options(server, &budget), clock_);
  ASSERT_FALSE(ask(engine));
  EXPECT_NE(budget.describe().find("41.0000 of 200.0000"), std::string::npos)
      << budget.describe();
}

TEST_F(ApiEngineTest, WhoLeavesPaysForWhatWasWritten) {
  ScriptedServer server({"<keep>" + http_reply(200, "text/event-stream", kPiece + kPiece)});
  DailyBudget budget = this->budget(200);
  ApiEngine engine(options(server, &budget), clock_);
  StopFlag stop;
  Leaver leaver(stop);
  const auto attempt = engine.complete(request_, {}, stop, leaver);
  ASSERT_TRUE(attempt) << attempt.error().message();
  EXPECT_EQ(attempt->finish, cascade::Finish::Interrupted);
  EXPECT_EQ(attempt->cost.dollars, 34 + static_cast<double>(attempt->answer.size()));
  EXPECT_EQ(attempt->answer.substr(0, 8), "Yes, and");
}

// Anthropic's messages begin with a count of one: it is none of what comes then.
TEST_F(ApiEngineTest, ACountOfTheBeginningIsNotTakenForThatOfTheAnswer) {
  const std::string text =
      event(R"({"type":"content_block_delta","index":0,)"
            R"("delta":{"type":"text_delta","text":"Yes, and"}})");
  ScriptedServer server({"<keep>" + http_reply(
      200, "text/event-stream",
      event(R"({"type":"message_start","message":{"model":"m",)"
            R"("usage":{"input_tokens":5,"output_tokens":1}}})") +
          event(R"({"type":"content_block_start","index":0,)"
                R"("content_block":{"type":"text","text":""}})") +
          text)});
  DailyBudget budget = this->budget(200);
  ApiEngineOptions anthropic = options(server, &budget);
  anthropic.api = remote::Api::Anthropic;
  ApiEngine engine(anthropic, clock_);
  StopFlag stop;
  Leaver leaver(stop);
  const auto attempt = engine.complete(request_, {}, stop, leaver);
  ASSERT_TRUE(attempt) << attempt.error().message();
  EXPECT_EQ(attempt->finish, cascade::Finish::Interrupted);
  EXPECT_EQ(attempt->cost.dollars, 5 + 8);
}

TEST_F(ApiEngineTest, WithoutAPriceABudgetCannotBeKept) {
  ScriptedServer server({});
  DailyBudget budget = this->budget(200);
  ApiEngineOptions free = options(server, &budget);
  free.price = {};
  ApiEngine engine(free, clock_);
  const auto refused = ask(engine);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Config);
  EXPECT_NE(refused.error().hint.find("l4.price_input"), std::string::npos);
}

TEST_F(ApiEngineTest, WhereNothingCanBeCountedNothingIsAsked) {
  ScriptedServer server({});
  DailyBudget budget("/dev/null/spending.sqlite", 200, clock_);
  ApiEngine engine(options(server, &budget), clock_);
  const auto refused = ask(engine);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Io);
  EXPECT_NE(refused.error().message().find("cannot be counted"), std::string::npos);
}

}  // namespace
}  // namespace tinyarms::tiers
