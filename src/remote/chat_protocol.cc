#include "remote/chat_protocol.h"

#include "remote/chat_wire.h"

namespace tinyarms::remote {
namespace {

class OpenAiProtocol final : public ChatProtocol {
 public:
  std::string_view path() const override { return "/chat/completions"; }
  std::vector<std::string> headers(const ApiKey& key) const override {
    std::vector<std::string> headers = {"Content-Type: application/json",
                                        "Accept: text/event-stream"};
    if (!key.empty()) headers.push_back("Authorization: Bearer " + key.reveal());
    return headers;
  }
  std::string body(const WireOptions& wire, const std::vector<ChatMessage>& messages,
                   const ChatOptions& options) const override {
    return request_body(wire, messages, options);
  }
  std::unique_ptr<ReplyReader> reader(ReplySinks sinks, const ChatOptions&) const override {
    return std::make_unique<OpenAiReader>(std::move(sinks));
  }
};

}  // namespace

const ChatProtocol& protocol_of(Api api) {
  static const OpenAiProtocol kOpenAi;
  switch (api) {
    case Api::OpenAi: return kOpenAi;
    case Api::Anthropic: return kOpenAi;
  }
  return kOpenAi;
}

}  // namespace tinyarms::remote
