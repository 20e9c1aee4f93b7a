#include "remote/chat_protocol.h"

#include "remote/anthropic_wire.h"
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

class AnthropicProtocol final : public ChatProtocol {
 public:
  std::string_view path() const override { return "/messages"; }
  std::vector<std::string> headers(const ApiKey& key) const override {
    std::vector<std::string> headers = {"Content-Type: application/json",
                                        "Accept: text/event-stream",
                                        "anthropic-version: 2023-06-01"};
    if (!key.empty()) headers.push_back("x-api-key: " + key.reveal());
    return headers;
  }
  std::string body(const WireOptions& wire, const std::vector<ChatMessage>& messages,
                   const ChatOptions& options) const override {
    return messages_body(wire, messages, options);
  }
  std::unique_ptr<ReplyReader> reader(ReplySinks sinks,
                                      const ChatOptions& options) const override {
    return std::make_unique<AnthropicReader>(std::move(sinks), answers_by_tool(options));
  }
  bool has_logprobs() const override { return false; }
};

}  // namespace

const ChatProtocol& protocol_of(Api api) {
  static const OpenAiProtocol kOpenAi;
  static const AnthropicProtocol kAnthropic;
  switch (api) {
    case Api::OpenAi: return kOpenAi;
    case Api::Anthropic: return kAnthropic;
  }
  return kOpenAi;
}

}  // namespace tinyarms::remote
