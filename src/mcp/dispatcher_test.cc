// The protocol with tools made for it: no models, no transport.
#include "mcp/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jsonrpc/message.h"

namespace tinyarms::mcp {
namespace {

using testing::HasSubstr;

// Keeps its call, so that a test decides when it is finished.
class HeldTool final : public Tool {
 public:
  HeldTool(std::shared_ptr<ToolCall>& held, Json& arguments)
      : held_(held), arguments_(arguments) {}
  ToolInfo info() const override {
    return {.name = "hold",
            .title = "Hold",
            .description = "",
            .input_schema = {{"type", "object"}},
            .output_schema = {{"type", "object"}}};
  }
  void run(const std::shared_ptr<ToolCall>& call, const Json& arguments) override {
    held_ = call;
    arguments_ = arguments;
  }

 private:
  std::shared_ptr<ToolCall>& held_;
  Json& arguments_;
};

class OneDocument final : public Resources {
 public:
  std::vector<ResourceInfo> list() const override { return {{"test://a", "a", "A", ""}}; }
  std::vector<ResourceInfo> templates() const override { return {{"test://{id}", "b", "B", ""}}; }
  void read(const std::shared_ptr<ResourceCall>& call) override {
    if (call->uri() != "test://a") return call->finish(std::nullopt);
    OrderedJson document = {{"a", 1}};
    call->finish(std::move(document));
  }
};

class Kept final : public Answer {
 public:
  void reply(std::string text) override { replies.push_back(Json::parse(text)); }
  void fail(const jsonrpc::Failure& failure) override { code = failure.code; }
  void notify(std::string text) override { notes.push_back(Json::parse(text)); }
  void drop() override { dropped = true; }
  std::vector<Json> replies;
  std::vector<Json> notes;
  int code = 0;
  bool dropped = false;
};

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() : dispatcher_(make_offer()) {}
  void TearDown() override { held_.reset(); }  // it points into the dispatcher

  Offer make_offer() {
    Offer offer;
    offer.info.version = "1.2.3";
    offer.instructions = [this] { return instructions_; };
    offer.tools.push_back(std::make_unique<HeldTool>(held_, arguments_));
    offer.resources = std::make_unique<OneDocument>();
    return offer;
  }

  std::shared_ptr<Kept> ask(const Json& id, const std::string& method, const Json& params,
                            bool stateless = false, const std::string& session = "s") {
    const Json json = {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}};
    const jsonrpc::Parsed parsed = jsonrpc::parse(json.dump());
    EXPECT_TRUE(parsed.message);
    auto kept = std::make_shared<Kept>();
    Arrival arrival;
    arrival.stateless = stateless;
    arrival.session = session;
    arrival.stop = std::make_shared<StopFlag>();
    dispatcher_.request(*parsed.message, arrival, kept);
    return kept;
  }

  void cancel(const Json& id, const std::string& session = "s") {
    const Json json = {{"jsonrpc", "2.0"},
                       {"method", "notifications/cancelled"},
                       {"params", {{"requestId", id}}}};
    dispatcher_.notification(*jsonrpc::parse(json.dump()).message, session);
  }

  static Json envelope(const std::string& version = "2026-07-28") {
    return {{"_meta",
             {{"io.modelcontextprotocol/protocolVersion", version},
              {"io.modelcontextprotocol/clientCapabilities", Json::object()}}}};
  }

  std::shared_ptr<ToolCall> held_;
  Json arguments_;
  std::string instructions_ = "Hold.";
  Dispatcher dispatcher_;
};

TEST_F(DispatcherTest, NegotiatesTheRevision) {
  const auto version_for = [&](const std::string& wished) {
    return ask(1, "initialize", {{"protocolVersion", wished}})
        ->replies.at(0)["result"]["protocolVersion"];
  };
  EXPECT_EQ(version_for("2025-06-18"), "2025-06-18");
  EXPECT_EQ(version_for("2025-11-25"), "2025-11-25");
  EXPECT_EQ(version_for("2024-11-05"), "2025-11-25");
  EXPECT_EQ(version_for("2026-07-28"), "2025-11-25");  // has no initialize
  EXPECT_EQ(ask(1, "initialize", Json::object())->replies.at(0)["result"]["serverInfo"]["version"],
            "1.2.3");
  EXPECT_TRUE(ask("a", "ping", Json::object())->replies.at(0)["result"].empty());
  instructions_ = "Let go.";
  EXPECT_EQ(ask(1, "initialize", Json::object())->replies.at(0)["result"]["instructions"],
            "Let go.");
}

TEST_F(DispatcherTest, StatelessRequestsSayWhatTheySpeak) {
  const auto discovered = ask(1, "server/discover", envelope(), true);
  const Json& result = discovered->replies.at(0)["result"];
  EXPECT_EQ(result["supportedVersions"][0], "2026-07-28");
  EXPECT_EQ(result["resultType"], "complete");
  EXPECT_EQ(result["ttlMs"], 0);
  EXPECT_EQ(result["cacheScope"], "private");
  EXPECT_EQ(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "tinyarms");
  EXPECT_EQ(ask(2, "tools/list", Json::object(), true)->code, jsonrpc::kInvalidParams);
  EXPECT_EQ(ask(3, "tools/list", envelope("2030-01-01"), true)->code, kUnsupportedVersion);
  for (const char* gone : {"initialize", "ping", "logging/setLevel", "resources/subscribe"}) {
    EXPECT_EQ(ask(4, gone, envelope(), true)->code, jsonrpc::kMethodNotFound) << gone;
  }
  EXPECT_EQ(ask(5, "server/discover", envelope())->code, jsonrpc::kMethodNotFound);
}

TEST_F(DispatcherTest, ListsWhatThereIs) {
  const auto tools = ask(1, "tools/list", Json::object());
  const Json& tool = tools->replies.at(0)["result"]["tools"].at(0);
  EXPECT_EQ(tool["name"], "hold");
  EXPECT_EQ(tool["annotations"]["readOnlyHint"], true);
  const auto resources = ask(2, "resources/list", Json::object());
  EXPECT_EQ(resources->replies.at(0)["result"]["resources"][0]["uri"], "test://a");
  EXPECT_EQ(ask(3, "resources/templates/list", Json::object())
                ->replies.at(0)["result"]["resourceTemplates"][0]["uriTemplate"],
            "test://{id}");
  EXPECT_EQ(ask(4, "prompts/list", Json::object())->code, jsonrpc::kMethodNotFound);
}

TEST_F(DispatcherTest, ReadsResources) {
  const auto read = ask(1, "resources/read", {{"uri", "test://a"}});
  const Json& content = read->replies.at(0)["result"]["contents"].at(0);
  EXPECT_EQ(content["uri"], "test://a");
  EXPECT_EQ(Json::parse(content["text"].get<std::string>())["a"], 1);
  EXPECT_EQ(ask(2, "resources/read", {{"uri", "test://b"}})->code, kResourceNotFound);
  Json params = envelope();
  params["uri"] = "test://b";
  EXPECT_EQ(ask(3, "resources/read", params, true)->code, jsonrpc::kInvalidParams);
  EXPECT_EQ(ask(4, "resources/read", {{"uri", 7}})->code, jsonrpc::kInvalidParams);
}

TEST_F(DispatcherTest, CallsTools) {
  const auto answer = ask(1, "tools/call", {{"name", "hold"}, {"arguments", {{"a", 1}}}});
  ASSERT_TRUE(held_);
  EXPECT_EQ(arguments_["a"], 1);
  EXPECT_EQ(dispatcher_.under_way(), 1u);
  held_->finish({{{"b", 2}}, "two", false});
  held_.reset();
  const Json& result = answer->replies.at(0)["result"];
  EXPECT_EQ(result["structuredContent"]["b"], 2);
  EXPECT_EQ(result["content"][0]["text"], "two");
  EXPECT_EQ(result["isError"], false);
  EXPECT_FALSE(result.contains("resultType"));
  EXPECT_EQ(dispatcher_.under_way(), 0u);
  EXPECT_EQ(ask(2, "tools/call", {{"name", "none"}})->code, jsonrpc::kInvalidParams);
  EXPECT_EQ(ask(3, "tools/call", {{"name", "hold"}, {"arguments", 1}})->code,
            jsonrpc::kInvalidParams);
}

TEST_F(DispatcherTest, TellsProgressToWhoAskedForIt) {
  const auto answer =
      ask(1, "tools/call", {{"name", "hold"}, {"_meta", {{"progressToken", "t"}}}});
  held_->progress(1, "one");
  held_->finish(ToolResult::failure("no"));
  held_->progress(2, "too late");
  ASSERT_EQ(answer->notes.size(), 1u);
  EXPECT_EQ(answer->notes[0]["params"]["progressToken"], "t");
  EXPECT_EQ(answer->notes[0]["params"]["message"], "one");
  EXPECT_EQ(answer->replies.at(0)["result"]["isError"], true);
  const auto silent = ask(2, "tools/call", {{"name", "hold"}});
  held_->progress(1, "one");
  held_->finish(ToolResult::failure("no"));
  EXPECT_TRUE(silent->notes.empty());
}

TEST_F(DispatcherTest, CancelsWithinASessionOnly) {
  const auto answer = ask(7, "tools/call", {{"name", "hold"}});
  cancel(7, "another");
  cancel("7");
  cancel(8);
  EXPECT_FALSE(held_->stop()->raised());
  cancel(7);
  EXPECT_TRUE(held_->stop()->raised());
  EXPECT_FALSE(answer->dropped);
  held_->finish(ToolResult::failure("stopped"));
  EXPECT_TRUE(answer->dropped);
  EXPECT_TRUE(answer->replies.empty());
  EXPECT_EQ(dispatcher_.under_way(), 0u);
}

TEST_F(DispatcherTest, RefusesAnIdThatIsUnderWay) {
  const auto first = ask(1, "tools/call", {{"name", "hold"}});
  EXPECT_EQ(ask(1, "ping", Json::object())->code, jsonrpc::kInvalidRequest);
  EXPECT_EQ(ask(1, "ping", Json::object(), false, "another")->replies.size(), 1u);
  EXPECT_EQ(ask(1, "ping", Json::object(), false, "")->replies.size(), 1u);
  held_->finish(ToolResult::failure("no"));
  EXPECT_EQ(ask(1, "ping", Json::object())->replies.size(), 1u);
}

TEST_F(DispatcherTest, ACallLetGoIsAnswered) {
  const auto answer = ask(1, "tools/call", {{"name", "hold"}});
  held_.reset();
  EXPECT_EQ(answer->code, jsonrpc::kInternalError);
  EXPECT_EQ(dispatcher_.under_way(), 0u);
}

TEST_F(DispatcherTest, StopsASessionOrAll) {
  ask(1, "tools/call", {{"name", "hold"}});
  const auto first = held_;
  ask(1, "tools/call", {{"name", "hold"}}, false, "t");
  const auto second = held_;
  dispatcher_.stop("s");
  EXPECT_TRUE(first->stop()->raised());
  EXPECT_FALSE(second->stop()->raised());
  dispatcher_.stop("");
  EXPECT_TRUE(second->stop()->raised());
}

TEST(McpHeaders, MustRepeatTheRequest) {
  const auto message_of = [](const std::string& method, Json params) {
    params["_meta"] = {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"}};
    jsonrpc::Message message;
    message.method = method;
    message.params = std::move(params);
    return message;
  };
  const auto code = [](const std::optional<jsonrpc::Failure>& failure) {
    return failure ? failure->code : 0;
  };
  const auto call = message_of("tools/call", {{"name", "größe"}});
  RoutingHeaders headers{.version = "2026-07-28", .method = "tools/call",
                         .name = "=?base64?Z3LDtsOfZQ==?=", .repeated = false};
  EXPECT_EQ(code(check_headers(call, headers)), 0);
  headers.name = "=?base64?Z3LDtsOfZQ?=";
  EXPECT_EQ(code(check_headers(call, headers)), kHeaderMismatch);
  headers.name = std::nullopt;
  EXPECT_EQ(code(check_headers(call, headers)), kHeaderMismatch);
  headers = {.version = "2026-07-28", .method = "tools/list", .name = "x", .repeated = false};
  EXPECT_EQ(code(check_headers(call, headers)), kHeaderMismatch);
  headers = {.version = "2025-11-25", .method = "tools/list", .name = {}, .repeated = false};
  EXPECT_EQ(code(check_headers(message_of("tools/list", Json::object()), headers)),
            kHeaderMismatch);
  headers.version = "2026-07-28";
  EXPECT_EQ(code(check_headers(message_of("tools/list", Json::object()), headers)), 0);
  headers.repeated = true;
  EXPECT_EQ(code(check_headers(message_of("tools/list", Json::object()), headers)),
            kHeaderMismatch);
}

}  // namespace
}  // namespace tinyarms::mcp
