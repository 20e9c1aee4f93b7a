#include "base/trace_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace tinyarms {
namespace {

constexpr std::string_view kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr std::string_view kSpan = "00f067aa0ba902b7";

TEST(Traceparent, IsReadAndWrittenAsTheSpecificationHasIt) {
  const auto context =
      parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  ASSERT_TRUE(context);
  EXPECT_EQ(trace_id_text(*context), kTrace);
  EXPECT_EQ(span_id_text(context->span), kSpan);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(traceparent_of(*context),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
}

TEST(Traceparent, OfTheFlagsOnlySampledIsKnown) {
  const std::string head = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-";
  EXPECT_FALSE(parse_traceparent(head + "00")->sampled);
  EXPECT_FALSE(parse_traceparent(head + "fe")->sampled);
  EXPECT_TRUE(parse_traceparent(head + "ff")->sampled);
  EXPECT_EQ(traceparent_of(*parse_traceparent(head + "fe")), head + "00");
}

TEST(Traceparent, OfALaterVersionTheFieldsOfThisOneCount) {
  const std::string head = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_TRUE(parse_traceparent(head));
  EXPECT_TRUE(parse_traceparent(head + "-what-comes-then"));
  EXPECT_FALSE(parse_traceparent(head + "."));
}

TEST(Traceparent, WhatIsNoneIsNone) {
  for (const char* wrong : {
           "",
           "00",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
           " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
           "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e473600f067aa0ba902b7-01-00",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
       }) {
    EXPECT_FALSE(parse_traceparent(wrong)) << wrong;
  }
}

TEST(TraceContext, NewWorkHasIdsOfItsOwnAndItsCallersTrace) {
  std::set<std::string> traces;
  std::set<uint64_t> spans;
  for (int i = 0; i < 1000; ++i) {
    const TraceContext own = begin_span(std::nullopt);
    ASSERT_TRUE(own.valid());
    EXPECT_TRUE(own.sampled);
    traces.insert(trace_id_text(own));
    spans.insert(own.span);
  }
  EXPECT_EQ(traces.size(), 1000);
  EXPECT_EQ(spans.size(), 1000);
  const TraceContext caller{1, 2, 3, false};
  const TraceContext own = begin_span(caller);
  EXPECT_EQ(own, (TraceContext{1, 2, own.span, false}));
  EXPECT_NE(own.span, 3);
}

TEST(TraceContext, PartsAreDerived) {
  const TraceContext whole{1, 2, 3};
  std::set<uint64_t> spans = {whole.span};
  for (uint64_t n = 0; n < 100; ++n) {
    EXPECT_EQ(part_of(whole, n), part_of(whole, n));
    EXPECT_EQ(part_of(whole, n).trace_low, 2);
    spans.insert(part_of(whole, n).span);
  }
  EXPECT_EQ(spans.size(), 101);
}

}  // namespace
}  // namespace tinyarms
