#include "service/trace_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/temporary_folder.h"
#include "remote/scripted_server.h"
#include "service/assistant.h"

namespace tinyarms::service {
namespace {

using remote::testing::http_reply;
using remote::testing::ScriptedServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TraceExport with(const std::map<std::string, std::string>& variables) {
  return TraceExport(
      [variables](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
      },
      "0");
}

TEST(TraceExport, IsOffByDefault) {
  TraceExport traces = with({});
  ASSERT_TRUE(traces.configure({}));
  EXPECT_FALSE(traces.on());
  EXPECT_FALSE(traces.counts());
  cascade::Provenance provenance;
  traces.begin(provenance);
  EXPECT_FALSE(provenance.span.valid());
}

TEST(TraceExport, ASettingThatMayNotBeUsedChangesNothing) {
  TraceExport traces = with({});
  Settings settings;
  settings.telemetry.otlp_endpoint = "http://127.0.0.1:1";
  ASSERT_TRUE(traces.configure(settings));
  settings.telemetry.otlp_endpoint = "https://collector.example.com";
  EXPECT_EQ(traces.configure(settings).error().code, ErrorCode::Config);
  EXPECT_TRUE(traces.on());
  settings.offline = false;
  EXPECT_TRUE(traces.configure(settings));
}

TEST(TraceExport, AVariableThatMayNotBeUsedIsToldOf) {
  TraceExport traces =
      with({{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example.com"}});
  ASSERT_TRUE(traces.configure({}));
  EXPECT_FALSE(traces.on());
  EXPECT_THAT(traces.notices(), ElementsAre(HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT")));
}

TEST(TraceExport, WhoDoesNotSampleIsNotTold) {
  TraceExport traces = with({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"}});
  ASSERT_TRUE(traces.configure({}));
  cascade::Request request;
  request.provenance.caller = TraceContext{1, 2, 3, false};
  traces.begin(request.provenance);
  EXPECT_TRUE(request.provenance.span.valid());
  traces.record(request, {}, 1, 1);
  EXPECT_EQ(traces.counts()->waiting, 0);
  request.provenance.caller->sampled = true;
  traces.begin(request.provenance);
  traces.record(request, {}, 1, 1);
  EXPECT_EQ(traces.counts()->waiting, 1);
}

TEST(TraceExport, AnAssistantTellsOfEachClimb) {
  ScriptedServer server({http_reply(200, "application/json", "{}")});
  TraceExport traces = with({{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", server.url()}});
  const TemporaryFolder folder;
  Settings settings;
  settings.l1.enabled = false;
  ASSERT_TRUE(traces.configure(settings));
  const Paths paths{.config_file = folder.path() / "config.toml",
                    .cache_dir = folder.path() / "cache",
                    .data_dir = folder.path() / "data",
                    .models_dir = folder.path() / "models"};
  const SystemClock clock;
  Assistant assistant(settings, {.paths = paths, .clock = clock, .traces = &traces});
  cascade::Request request = make_request(settings);
  request.messages = {{cascade::Role::User, "What is 0xff in decimal?"}};
  cascade::Listener nobody;
  EXPECT_TRUE(assistant.ask(request, StopFlag(), nobody).sure);
  traces.finish();
  EXPECT_EQ(traces.counts()->sent, 2);
  ASSERT_EQ(server.requests().size(), 1);
  EXPECT_THAT(server.requests()[0], HasSubstr("\"name\":\"chat auto\""));
  EXPECT_THAT(traces.problem(), IsEmpty());
}

}  // namespace
}  // namespace tinyarms::service
