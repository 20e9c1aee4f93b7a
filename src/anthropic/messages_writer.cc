#include "anthropic/messages.h"

namespace tinyarms::anthropic {
namespace {

using openai::ApiError;
using openai::ChatReply;
using openai::Choice;
using openai::OrderedJson;

const char* stop_reason(const Choice& choice) {
  if (!choice.tool_calls.empty()) return "tool_use";
  if (!choice.stop_sequence.empty()) return "stop_sequence";
  return choice.finish == "length" ? "max_tokens" : "end_turn";
}

OrderedJson stop_sequence(const Choice& choice) {
  if (choice.stop_sequence.empty() || !choice.tool_calls.empty()) return nullptr;
  return choice.stop_sequence;
}

OrderedJson usage_of(const openai::Usage& usage) {
  return {{"input_tokens", usage.prompt_tokens},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", 0},  // nobody is billed for less here
          {"output_tokens", usage.completion_tokens}};
}

// What the model wrote, as an object; what is none stands under a name of its own.
OrderedJson input_of(const std::string& arguments) {
  OrderedJson input = OrderedJson::parse(arguments, nullptr, false);
  if (input.is_object()) return input;
  return {{"arguments", arguments}};
}

std::string event(const char* name, const OrderedJson& json) {
  return std::string("event: ") + name + "\n" + openai::event_of(json);
}

class MessagesWriter final : public openai::ReplyWriter {
 public:
  OrderedJson whole(const ChatReply& reply) override {
    const Choice& choice = reply.choices.front();
    OrderedJson content = OrderedJson::array();
    if (!choice.content.empty() || choice.tool_calls.empty()) {
      content.push_back({{"type", "text"}, {"text", choice.content}});
    }
    for (const openai::ToolCall& call : choice.tool_calls) {
      content.push_back({{"type", "tool_use"},
                         {"id", call.id},
                         {"name", call.name},
                         {"input", input_of(call.arguments)}});
    }
    OrderedJson json = message(reply);
    json["content"] = std::move(content);
    json["stop_reason"] = stop_reason(choice);
    json["stop_sequence"] = stop_sequence(choice);
    json["usage"] = usage_of(reply.usage);
    if (!reply.tinyarms.is_null()) json["tinyarms"] = reply.tinyarms;
    return json;
  }

  std::string open(const ChatReply& head) override {
    return event("message_start", {{"type", "message_start"}, {"message", message(head)}});
  }

  std::string text(int, std::string_view piece,
                   const std::vector<openai::TokenLogprob>&) override {
    std::string events;
    if (open_ != Block::Text) {
      events = close_block();  // which counts: one statement each
      events += open_text();
    }
    return events + event("content_block_delta",
                          {{"type", "content_block_delta"},
                           {"index", block_},
                           {"delta", {{"type", "text_delta"}, {"text", piece}}}});
  }

  std::string tools(int, const std::vector<openai::ToolDelta>& deltas) override {
    std::string events;
    for (const openai::ToolDelta& one : deltas) {
      if (!one.id.empty()) {
        events += close_block();
        events += open_call(one);
      }
      if (one.arguments.empty()) continue;
      events += event("content_block_delta",
                      {{"type", "content_block_delta"},
                       {"index", block_},
                       {"delta",
                        {{"type", "input_json_delta"}, {"partial_json", one.arguments}}}});
    }
    return events;
  }

  std::string close_choice(int, const Choice& choice, const OrderedJson& tinyarms) override {
    std::string events;
    if (block_ == 0 && open_ == Block::None) events += open_text();  // an empty answer has one
    stop_ = stop_reason(choice);
    sequence_ = stop_sequence(choice);
    tinyarms_ = tinyarms;
    return events + close_block();
  }

  std::string close(const ChatReply& reply) override {
    OrderedJson delta = {{"type", "message_delta"},
                         {"delta", {{"stop_reason", stop_}, {"stop_sequence", sequence_}}},
                         {"usage", usage_of(reply.usage)}};
    if (!tinyarms_.is_null()) delta["tinyarms"] = tinyarms_;
    return event("message_delta", delta) + event("message_stop", {{"type", "message_stop"}});
  }

  std::string failure(const ApiError& error) override {
    return event("error", anthropic::error_json(error));
  }

 private:
  OrderedJson message(const ChatReply& head) const {
    return {{"id", "msg_" + head.id},
            {"type", "message"},
            {"role", "assistant"},
            {"model", head.model},
            {"content", OrderedJson::array()},
            {"stop_reason", nullptr},
            {"stop_sequence", nullptr},
            {"usage", usage_of(head.usage)}};
  }

  std::string open_text() {
    open_ = Block::Text;
    return event("content_block_start", {{"type", "content_block_start"},
                                         {"index", block_},
                                         {"content_block", {{"type", "text"}, {"text", ""}}}});
  }

  std::string open_call(const openai::ToolDelta& call) {
    open_ = Block::Call;
    return event("content_block_start", {{"type", "content_block_start"},
                                         {"index", block_},
                                         {"content_block",
                                          {{"type", "tool_use"},
                                           {"id", call.id},
                                           {"name", call.name},
                                           {"input", OrderedJson::object()}}}});
  }

  std::string close_block() {
    if (open_ == Block::None) return "";
    open_ = Block::None;
    return event("content_block_stop", {{"type", "content_block_stop"}, {"index", block_++}});
  }

  enum class Block { None, Text, Call };

  int block_ = 0;
  Block open_ = Block::None;
  std::string stop_ = "end_turn";
  OrderedJson sequence_;  // null
  OrderedJson tinyarms_;
};

}  // namespace

std::unique_ptr<openai::ReplyWriter> messages_writer(const openai::ChatRequest&) {
  return std::make_unique<MessagesWriter>();
}

OrderedJson error_json(const ApiError& error) {
  const char* type = error.status == 401   ? "authentication_error"
                     : error.status == 403 ? "permission_error"
                     : error.status == 404 ? "not_found_error"
                     : error.status == 413 ? "request_too_large"
                     : error.status == 429 ? "rate_limit_error"
                     : error.status == 503 ? "overloaded_error"
                     : error.status >= 500 ? "api_error"
                                           : "invalid_request_error";
  return {{"type", "error"}, {"error", {{"type", type}, {"message", error.message}}}};
}

}  // namespace tinyarms::anthropic
