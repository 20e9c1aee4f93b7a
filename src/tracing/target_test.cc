#include "tracing/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "remote/scripted_server.h"

namespace tinyarms::tracing {
namespace {

using remote::testing::http_reply;
using remote::testing::ScriptedServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

using Variables = std::map<std::string, std::string>;

Result<std::optional<Target>> find(const Variables& variables, const TargetWish& wish = {}) {
  return find_target(wish, [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

Target found(const Variables& variables, const TargetWish& wish = {}) {
  auto target = find(variables, wish);
  EXPECT_TRUE(target) << target.error().message();
  EXPECT_TRUE(*target);
  return target && *target ? **target : Target{};
}

std::string refusal(const Variables& variables, const TargetWish& wish = {}) {
  auto target = find(variables, wish);
  EXPECT_FALSE(target);
  if (target) return "";
  EXPECT_EQ(target.error().code, ErrorCode::Config);
  return target.error().message();
}

TEST(Target, ThereIsNoneByDefault) {
  EXPECT_FALSE(*find({}));
  EXPECT_FALSE(*find({{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}}));
  EXPECT_FALSE(*find({{"OTEL_SERVICE_NAME", "x"}, {"OTEL_EXPORTER_OTLP_HEADERS", "a=b"}}));
}

TEST(Target, TheBaseOfAllSignalsGetsThePathAndTracesOwnDoesNot) {
  const Variables base = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"}};
  EXPECT_EQ(found(base).url, "http://127.0.0.1:4318/v1/traces");
  EXPECT_EQ(found({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/otlp/"}}).url,
            "http://localhost:4318/otlp/v1/traces");
  Variables both = base;
  both["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = "http://[::1]:9/in";
  EXPECT_EQ(found(both).url, "http://[::1]:9/in");
}

TEST(Target, OurSettingComesBeforeTheVariables) {
  const Variables variables = {{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/in"},
                               {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
                               {"OTEL_TRACES_EXPORTER", "none"}};
  EXPECT_EQ(found(variables, {.endpoint = "http://127.0.0.1:4318"}).url,
            "http://127.0.0.1:4318/v1/traces");
  EXPECT_EQ(found({}, {.endpoint = "http://127.0.0.1:4318/v1/traces"}).url,
            "http://127.0.0.1:4318/v1/traces");
}

TEST(Target, TheVariablesCanSwitchItOff) {
  const TargetWish wish{.endpoint = "http://127.0.0.1:4318"};
  EXPECT_FALSE(*find({{"OTEL_SDK_DISABLED", "TRUE"}}, wish));
  EXPECT_TRUE(*find({{"OTEL_SDK_DISABLED", "1"}}, wish));  // only "true" is
  EXPECT_FALSE(*find({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"},
                      {"OTEL_TRACES_EXPORTER", "none"}}));
}

TEST(Target, WhileOfflineOnlyThisMachineIsReached) {
  for (const char* here : {"http://127.0.0.1:4318", "http://localhost:4318", "http://[::1]:4318",
                           "https://127.0.0.1"}) {
    const Target target = found({{"OTEL_EXPORTER_OTLP_ENDPOINT", here}});
    EXPECT_TRUE(target.direct) << here;
  }
  for (const char* elsewhere :
       {"https://collector.example.com", "http://10.0.0.1:4318", "http://127.example.com",
        "http://0.0.0.0:4318", "http://2130706433", "http://127.1", "http://[::ffff:127.0.0.1]"}) {
    EXPECT_THAT(refusal({{"OTEL_EXPORTER_OTLP_ENDPOINT", elsewhere}}), HasSubstr("offline"))
        << elsewhere;
    EXPECT_THAT(refusal({}, {.endpoint = elsewhere}), HasSubstr("telemetry.otlp_endpoint"));
  }
  const TargetWish online{.endpoint = "https://collector.example.com", .offline = false};
  EXPECT_EQ(found({}, online).url, "https://collector.example.com/v1/traces");
  EXPECT_FALSE(found({}, online).direct);
}

TEST(Target, WhatReadersCouldTakeForDifferentPlacesIsNoAddress) {
  for (const char* wrong :
       {"127.0.0.1:4318", "ftp://127.0.0.1", "http://", "http://127.0.0.1@evil.example.com",
        "http://127.0.0.1\\@evil.example.com", "http://127.0.0.1#@evil.example.com",
        "http://127.0.0.1?@evil.example.com", "http:///127.0.0.1", "http://127.0.0.1/\r\nX: 1",
        "http://127.0.0.1 .evil.example.com", "http://:4318", "HTTP://127.0.0.1"}) {
    EXPECT_THAT(refusal({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", wrong}}),
                HasSubstr("is no web address"))
        << wrong;
  }
}

TEST(Target, HeadersAreReadUnescapedAndNeverTold) {
  EXPECT_THAT(found({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1"},
                     {"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20abc%3D , x-b = 2,"}})
                  .headers,
              ElementsAre("Content-Type: application/json", "authorization: Basic abc=",
                          "x-b: 2"));
  EXPECT_THAT(found({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1"},
                     {"OTEL_EXPORTER_OTLP_HEADERS", "a=1"},
                     {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=2"}})
                  .headers,
              ElementsAre("Content-Type: application/json", "b: 2"));
  for (const char* wrong : {"canary", "=canary", "a=canary%0d%0aX: 1", "a b=canary",
                            "content-length=canary", "Host=canary", "a=canary\x7f"}) {
    const std::string told = refusal({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1"},
                                      {"OTEL_EXPORTER_OTLP_HEADERS", wrong}});
    EXPECT_THAT(told, HasSubstr("OTEL_EXPORTER_OTLP_HEADERS")) << wrong;
    EXPECT_THAT(told, Not(HasSubstr("canary")));
  }
}

TEST(Target, SecretsDoNotCrossTheNetworkUnencrypted) {
  const TargetWish online{.offline = false};
  const Variables bare = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"}};
  EXPECT_EQ(found(bare, online).url, "http://collector:4318/v1/traces");
  Variables secret = bare;
  secret["OTEL_EXPORTER_OTLP_HEADERS"] = "api-key=canary";
  EXPECT_THAT(refusal(secret, online), HasSubstr("unencrypted"));
  EXPECT_THAT(refusal(secret, online), Not(HasSubstr("canary")));
}

TEST(Target, OnlyHttpIsSpoken) {
  Variables variables = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317"},
                         {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}};
  EXPECT_THAT(refusal(variables), HasSubstr("OTEL_EXPORTER_OTLP_PROTOCOL"));
  variables["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf";
  EXPECT_TRUE(*find(variables));
}

TEST(Target, NumbersAreReadOrRefused) {
  const Variables place = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1"}};
  Variables all = place;
  all.insert({{"OTEL_EXPORTER_OTLP_TIMEOUT", "1000"},
              {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2500"},
              {"OTEL_BSP_SCHEDULE_DELAY", "100"},
              {"OTEL_BSP_MAX_QUEUE_SIZE", "7"},
              {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "3"}});
  const Target target = found(all);
  EXPECT_EQ(target.timeout_seconds, 2.5);
  EXPECT_EQ(target.terms.delay_seconds, 0.1);
  EXPECT_EQ(target.terms.queue_spans_max, 7);
  EXPECT_EQ(target.terms.batch_spans_max, 3);
  for (const char* wrong : {"-1", "1.5", "ten", "99999999999999999999", "0x10", " 1"}) {
    Variables one = place;
    one["OTEL_EXPORTER_OTLP_TIMEOUT"] = wrong;
    EXPECT_THAT(refusal(one), HasSubstr("OTEL_EXPORTER_OTLP_TIMEOUT")) << wrong;
  }
}

TEST(Target, TheServicesNameIsTheStrongestThatIsGiven) {
  const Variables place = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1"}};
  EXPECT_THAT(found(place).resource, ElementsAre(Pair("service.name", "tinyarms")));
  Variables named = place;
  named["OTEL_RESOURCE_ATTRIBUTES"] = "deployment.environment.name=test,service.name=one";
  EXPECT_THAT(found(named).resource, ElementsAre(Pair("service.name", "one"),
                                                 Pair("deployment.environment.name", "test")));
  named["OTEL_SERVICE_NAME"] = "two";
  EXPECT_EQ(found(named).resource.front().second, "two");
}

TEST(Courier, PostsJsonWithItsHeadersAndKeepsTheConnection) {
  const std::string taken =
      "<keep>HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
  ScriptedServer server({taken, taken});
  const Target target =
      found({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", server.url() + "/traces"},
             {"OTEL_EXPORTER_OTLP_HEADERS", "x-key=canary"}});
  const Courier courier = courier_to(target);
  const StopFlag stop;
  for (const char* body : {"{\"a\":1}", "{\"b\":2}"}) {
    const Delivery delivery = courier(body, stop);
    EXPECT_EQ(delivery.status, 200);
    EXPECT_EQ(delivery.reply, "{}");
  }
  EXPECT_EQ(server.connections(), 1);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2);
  EXPECT_THAT(requests[0], HasSubstr("POST /v1/traces HTTP/1.1\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("x-key: canary\r\n"));
  EXPECT_THAT(requests[1], HasSubstr("\r\n\r\n{\"b\":2}"));
}

TEST(Courier, TellsHowItWent) {
  ScriptedServer server({http_reply(429, "application/json", "{}", "Retry-After: 7\r\n"),
                         http_reply(401, "text/plain", "canary is no key"), "<hang>"});
  Target target = found({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", server.url() + "/traces"},
                         {"OTEL_EXPORTER_OTLP_TIMEOUT", "100"},
                         {"OTEL_EXPORTER_OTLP_HEADERS", "x-key=canary"}});
  const Courier courier = courier_to(target);
  const StopFlag stop;
  const Delivery busy = courier("{}", stop);
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(busy.retry_after_seconds, 7);
  EXPECT_EQ(courier("{}", stop).status, 401);
  const Delivery silent = courier("{}", stop);
  EXPECT_EQ(silent.status, 0);
  EXPECT_THAT(silent.problem, HasSubstr("127.0.0.1"));
  EXPECT_THAT(silent.problem, Not(HasSubstr("canary")));
}

TEST(Courier, ProxiesOfTheEnvironmentSeeNothingOfWhatStaysHere) {
  ScriptedServer proxy({http_reply(200, "application/json", "{}")});
  ScriptedServer server({http_reply(200, "application/json", "{}")});
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::unsetenv("no_proxy");
  ::unsetenv("NO_PROXY");
  const Target target =
      found({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", server.url() + "/traces"}});
  EXPECT_EQ(courier_to(target)("{}", StopFlag()).status, 200);
  ::unsetenv("http_proxy");
  EXPECT_EQ(server.requests().size(), 1);
  EXPECT_EQ(proxy.connections(), 0);
}

}  // namespace
}  // namespace tinyarms::tracing
