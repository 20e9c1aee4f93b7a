#include "tracing/climb_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tracing/climb_test.h"
#include "tracing/otlp_json.h"

namespace tinyarms::tracing {
namespace {

using cascade::Decision;
using cascade::Level;
using ::testing::HasSubstr;
using ::testing::Not;

const SpanTerms kTerms{.models = {"", "encoder", "small.q4_1", "", "large"}};

const AttributeValue* value_of(const Span& span, std::string_view name) {
  for (const auto& [key, value] : span.attributes) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string text_of(const Span& span, std::string_view name) {
  const AttributeValue* value = value_of(span, name);
  return value == nullptr ? "" : std::get<std::string>(*value);
}

TEST(ClimbSpans, HaveTheBytesWrittenDown) {
  const char* source = std::getenv("TINYARMS_SOURCE");
  ASSERT_NE(source, nullptr);
  std::ifstream file(std::string(source) + "/tests/data/otlp_climb.json");
  const auto expected = nlohmann::ordered_json::parse(file);
  const auto spans = spans_of(served_climb(), kTerms);
  const std::string body =
      otlp_json(spans, {.attributes = {{"service.name", "tinyarms"}}, .version = "0.1.0"});
  EXPECT_EQ(nlohmann::ordered_json::parse(body).dump(1), expected.dump(1));
}

TEST(ClimbSpans, AreOneForTheQuestionAndOneForEachTierAsked) {
  const auto spans = spans_of(served_climb(), kTerms);
  ASSERT_EQ(spans.size(), 5);
  EXPECT_EQ(spans.size(), served_climb().spans());
  EXPECT_EQ(spans[0].parent, 0x00f067aa0ba902b7);
  for (size_t i = 1; i < spans.size(); ++i) {
    EXPECT_EQ(spans[i].parent, spans[0].context.span);
    EXPECT_EQ(trace_id_text(spans[i].context), "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_EQ(text_of(spans[i], "tinyarms.request.id"), "req_1");
    EXPECT_GE(spans[i].start_ns, spans[0].start_ns);
    EXPECT_LE(spans[i].end_ns, spans[0].end_ns);
  }
  // The one that L4 was told of while it was asked.
  EXPECT_EQ(spans[4].context, part_of(served_climb().provenance.span, 4));
  ASSERT_EQ(spans[0].events.size(), 1);
}

TEST(ClimbSpans, OfACommandAreInternalAndBeginTheTrace) {
  ClimbNote note = served_climb();
  note.provenance.served = false;
  note.provenance.caller.reset();
  note.provenance.at = 0;
  const auto spans = spans_of(note, kTerms);
  EXPECT_EQ(spans[0].kind, SpanKind::Internal);
  EXPECT_EQ(spans[0].parent, 0);
  EXPECT_EQ(spans[0].start_ns, 1'800'000'000'500'000'000u);
}

TEST(ClimbSpans, NamesOfTheRemoteApiAndTheTextCompletionAreTheConventions) {
  ClimbNote note = served_climb();
  note.completes_text = true;
  SpanTerms terms = kTerms;
  terms.remote_provider = "anthropic";
  const auto spans = spans_of(note, terms);
  EXPECT_EQ(spans[0].name, "text_completion auto");
  EXPECT_EQ(spans[4].name, "text_completion large");
  EXPECT_EQ(text_of(spans[4], "gen_ai.provider.name"), "anthropic");
  EXPECT_EQ(text_of(spans[3], "gen_ai.provider.name"), "tinyarms");
}

TEST(ClimbSpans, ARuleIsNoModel) {
  ClimbNote note = served_climb();
  note.attempts.resize(1);
  note.attempts[0].decision = Decision::Accept;
  note.attempts[0].answered = true;
  note.attempts[0].source = "rule base-conversion";
  note.winner = 0;
  for (const Span& span : spans_of(note, kTerms)) {
    EXPECT_EQ(text_of(span, "tinyarms.source"), "rule base-conversion");
    EXPECT_EQ(value_of(span, "gen_ai.response.model"), nullptr);
  }
}

TEST(ClimbSpans, AFailureHasItsKindAndNoWords) {
  cascade::Request request;
  request.messages = {{cascade::Role::User, "canary question"}};
  cascade::Reply reply;
  reply.trace.resize(2);
  cascade::Step& cache = reply.trace[0];
  cache.level = Level::L1;
  cache.decision = Decision::Abstain;
  cache.reason = "like “canary of another” (cosine 0.980), but the gate objects";
  cascade::Step& remote = reply.trace[1];
  remote.level = Level::L4;
  remote.decision = Decision::Fail;
  remote.reason = "the engine refuses the request: canary question";
  remote.error = ErrorCode::Unavailable;
  request.provenance.span = begin_span(std::nullopt);
  const auto spans = spans_of(note_of(request, reply, {.began = 1, .seconds = 1}), kTerms);
  ASSERT_EQ(spans.size(), 3);
  EXPECT_TRUE(spans[0].failed);
  EXPECT_EQ(text_of(spans[0], "error.type"), "unavailable");
  EXPECT_FALSE(spans[1].failed);
  EXPECT_TRUE(spans[2].failed);
  EXPECT_EQ(text_of(spans[2], "error.type"), "unavailable");
  EXPECT_EQ(text_of(spans[2], "gen_ai.request.model"), "large");
  EXPECT_THAT(otlp_json(spans, {}), Not(HasSubstr("canary")));
}

TEST(ClimbSpans, AnswersAreNeverInThemAndQuestionsOnlyWhereTheyAreKept) {
  cascade::Request request;
  request.messages = {{cascade::Role::System, "canary system"},
                      {cascade::Role::User, "canary \"question\""}};
  cascade::Reply reply;
  reply.trace.resize(1);
  reply.trace[0].level = Level::L2;
  reply.trace[0].decision = Decision::Accept;
  reply.trace[0].attempt.answered = true;
  reply.trace[0].attempt.answer = "canary answer";
  reply.trace[0].attempt.notice = "canary notice";
  reply.trace[0].attempt.evidence.set("rule_ids", std::string("canary evidence"));
  reply.winner = 0;
  request.provenance.span = begin_span(std::nullopt);
  const ClimbNote note = note_of(request, reply, {.began = 1, .seconds = 1});
  EXPECT_THAT(otlp_json(spans_of(note, kTerms), {}), Not(HasSubstr("canary")));
  SpanTerms keeping = kTerms;
  keeping.keep_question = true;
  const auto spans = spans_of(note, keeping);
  const auto messages = nlohmann::json::parse(text_of(spans[0], "gen_ai.input.messages"));
  EXPECT_EQ(messages[0]["role"], "user");
  EXPECT_EQ(messages[0]["parts"][0]["content"], "canary \"question\"");
  const std::string body = otlp_json(spans, {});
  for (const char* never : {"canary system", "canary answer", "canary notice", "canary evidence"}) {
    EXPECT_THAT(body, Not(HasSubstr(never)));
  }
}

TEST(ClimbSpans, WhoseClockWentBackStillEndAfterTheyBegin) {
  ClimbNote note = served_climb();
  note.provenance.at = note.began + 100;
  const auto spans = spans_of(note, kTerms);
  for (const Span& span : spans) EXPECT_LE(span.start_ns, span.end_ns);
}

}  // namespace
}  // namespace tinyarms::tracing
