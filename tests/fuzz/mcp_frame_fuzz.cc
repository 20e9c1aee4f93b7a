// MCP frames: bytes as a client sends them, told apart into lines, parsed and dispatched to tools
// that answer at once. Every request has exactly one answer, on one line, that is JSON.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "jsonrpc/framing.h"
#include "mcp/dispatcher.h"

namespace {

using namespace tinyarms;

class EchoTool final : public mcp::Tool {
 public:
  mcp::ToolInfo info() const override {
    mcp::ToolInfo info;
    info.name = "echo";
    return info;
  }
  void run(const std::shared_ptr<mcp::ToolCall>& call) override {
    call->progress(1, "half");
    call->finish({call->arguments(), call->arguments().dump(-1, ' ', false,
                  mcp::Json::error_handler_t::replace), false});
  }
};

class NoDocuments final : public mcp::Resources {
 public:
  std::vector<mcp::ResourceInfo> list() const override { return {}; }
  std::vector<mcp::ResourceInfo> templates() const override { return {}; }
  void read(const std::shared_ptr<mcp::ResourceCall>& call) override {
    call->finish(std::nullopt);
  }
};

class Once final : public mcp::Answer {
 public:
  ~Once() override {
    if (answers_ != 1) std::abort();
  }
  void reply(std::string text) override { check(text); }
  void fail(const jsonrpc::Failure& failure) override {
    check(jsonrpc::failure_text(nullptr, failure));
  }
  void notify(std::string text) override {
    check(text);
    --answers_;
  }
  void drop() override { ++answers_; }

 private:
  void check(const std::string& text) {
    ++answers_;
    if (text.find('\n') != std::string::npos) std::abort();
    if (mcp::Json::parse(text, nullptr, false).is_discarded()) std::abort();
  }
  int answers_ = 0;
};

mcp::Offer echo_offer() {
  mcp::Offer offer;
  offer.tools.push_back(std::make_unique<EchoTool>());
  offer.resources = std::make_unique<NoDocuments>();
  return offer;
}

void take(mcp::Dispatcher& dispatcher, const std::string& text) {
  const jsonrpc::Parsed parsed = jsonrpc::parse(text);
  if (!parsed.message) return;
  if (parsed.message->kind == jsonrpc::Message::Kind::Notification) {
    return dispatcher.notification(*parsed.message, "s");
  }
  if (parsed.message->kind != jsonrpc::Message::Kind::Request) return;
  const mcp::RoutingHeaders headers{.version = mcp::kStateless,
                                    .method = parsed.message->method,
                                    .name = std::string_view(text).substr(0, 64),
                                    .repeated = false};
  mcp::check_headers(*parsed.message, headers);
  mcp::Arrival arrival;
  arrival.stateless = mcp::has_envelope(*parsed.message);
  arrival.session = "s";
  arrival.stop = std::make_shared<StopFlag>();
  dispatcher.request(*parsed.message, arrival, std::make_shared<Once>());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static mcp::Dispatcher dispatcher(echo_offer());
  jsonrpc::LineFraming lines(1 << 16);
  jsonrpc::HeaderFraming heads(1 << 16);
  // In two pieces, so that frames are cut anywhere.
  for (const std::string_view piece : {bytes.substr(0, size / 2), bytes.substr(size / 2)}) {
    lines.feed(piece);
    heads.feed(piece);
    while (const auto frame = lines.next()) take(dispatcher, frame->text);
    while (heads.next()) continue;
  }
  lines.close();
  while (const auto frame = lines.next()) take(dispatcher, frame->text);
  if (dispatcher.under_way() != 0) std::abort();
  return 0;
}
