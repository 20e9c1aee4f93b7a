#include "tracing/otlp_json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace tinyarms::tracing {
namespace {

using Json = nlohmann::json;

Json span_of(const Span& span) {
  const Json body = Json::parse(otlp_json(std::span(&span, 1), {}));
  return body.at("resourceSpans").at(0).at("scopeSpans").at(0).at("spans").at(0);
}

TEST(OtlpJson, HasAFormForEachKindOfValue) {
  Span span{.context = {1, 2, 3}, .name = "x", .start_ns = 18446744073709551615u};
  span.attributes = {{"text", std::string("ä\"\n")},
                     {"flag", true},
                     {"int", std::numeric_limits<int64_t>::min()},
                     {"number", 0.5},
                     {"whole", 2.0},
                     {"list", std::vector<std::string>{"a", "b"}},
                     {"none", std::vector<std::string>{}},
                     {"nan", std::nan("")},
                     {"infinity", -std::numeric_limits<double>::infinity()}};
  const Json json = span_of(span);
  EXPECT_EQ(json.at("traceId"), "00000000000000010000000000000002");
  EXPECT_EQ(json.at("spanId"), "0000000000000003");
  EXPECT_FALSE(json.contains("parentSpanId"));
  EXPECT_FALSE(json.contains("status"));
  EXPECT_EQ(json.at("startTimeUnixNano"), "18446744073709551615");
  const auto value = [&](size_t i) { return json.at("attributes").at(i).at("value"); };
  EXPECT_EQ(value(0), Json({{"stringValue", "ä\"\n"}}));
  EXPECT_EQ(value(1), Json({{"boolValue", true}}));
  EXPECT_EQ(value(2), Json({{"intValue", "-9223372036854775808"}}));
  EXPECT_EQ(value(3), Json({{"doubleValue", 0.5}}));
  EXPECT_EQ(value(4), Json({{"doubleValue", 2.0}}));
  EXPECT_EQ(value(5).at("arrayValue").at("values").size(), 2);
  EXPECT_TRUE(value(6).at("arrayValue").at("values").is_array());
  EXPECT_EQ(value(7), Json({{"doubleValue", "NaN"}}));
  EXPECT_EQ(value(8), Json({{"doubleValue", "-Infinity"}}));
}

TEST(OtlpJson, BytesThatAreNoUtf8DoNotEndIt) {
  Span span{.context = {1, 2, 3}, .name = "a\xff" "b"};
  EXPECT_EQ(span_of(span).at("name"), "a\xEF\xBF\xBD" "b");
}

TEST(OtlpJson, WhatACollectorRejects) {
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"x"}})"), 3);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":4}})"), 4);
  for (const char* nothing :
       {"", "{}", "[]", "nonsense", R"({"partialSuccess":null})", R"({"partialSuccess":{}})",
        R"({"partialSuccess":{"rejectedSpans":"-1"}})",
        R"({"partialSuccess":{"rejectedSpans":"many"}})",
        R"({"partialSuccess":{"rejectedSpans":-1}})"}) {
    EXPECT_EQ(rejected_spans(nothing), 0) << nothing;
  }
}

}  // namespace
}  // namespace tinyarms::tracing
