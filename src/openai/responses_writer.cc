#include "openai/responses.h"

namespace tinyarms::openai {
namespace {

OrderedJson response_usage(const Usage& usage) {
  return {{"input_tokens", usage.prompt_tokens},
          {"input_tokens_details", {{"cached_tokens", usage.cached_tokens}}},
          {"output_tokens", usage.completion_tokens},
          {"output_tokens_details", {{"reasoning_tokens", 0}}},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

OrderedJson text_part(std::string_view text) {
  return {{"type", "output_text"},
          {"annotations", OrderedJson::array()},
          {"logprobs", OrderedJson::array()},
          {"text", text}};
}

OrderedJson message_item(const std::string& id, const char* status, OrderedJson content) {
  return {{"id", "msg_" + id},
          {"type", "message"},
          {"status", status},
          {"content", std::move(content)},
          {"role", "assistant"}};
}

OrderedJson call_item(const std::string& item_id, const ToolCall& call, const char* status) {
  return {{"id", item_id},
          {"type", "function_call"},
          {"status", status},
          {"arguments", call.arguments},
          {"call_id", call.id},
          {"name", call.name}};
}

class ResponsesWriter final : public ReplyWriter {
 public:
  explicit ResponsesWriter(OrderedJson echo) : echo_(std::move(echo)) {}

  OrderedJson whole(const ChatReply& reply) override {
    id_ = reply.id;
    const Choice& choice = reply.choices.front();
    OrderedJson json = response(reply, status_of(choice));
    if (choice.finish == "length") json["incomplete_details"] = {{"reason", "max_output_tokens"}};
    if (!choice.content.empty() || choice.tool_calls.empty()) {
      json["output"].push_back(message_item(
          reply.id, status_of(choice), OrderedJson::array({text_part(choice.content)})));
    }
    for (size_t i = 0; i < choice.tool_calls.size(); ++i) {
      json["output"].push_back(call_item(call_item_id(i), choice.tool_calls[i], "completed"));
    }
    json["usage"] = response_usage(reply.usage);
    if (!reply.tinyarms.is_null()) json["tinyarms"] = reply.tinyarms;
    return json;
  }

  std::string open(const ChatReply& head) override {
    id_ = head.id;
    const OrderedJson begun = response(head, "in_progress");
    // One statement each: they are numbered as they are made.
    std::string events = event("response.created", {{"response", begun}});
    events += event("response.in_progress", {{"response", begun}});
    return events;
  }

  std::string text(int, std::string_view piece, const std::vector<TokenLogprob>&) override {
    std::string events = open_message();
    content_ += piece;
    events += event("response.output_text.delta",
                    in_part({{"delta", piece}, {"logprobs", OrderedJson::array()}}));
    return events;
  }

  std::string tools(int, const std::vector<ToolDelta>& deltas) override {
    std::string events;
    for (const ToolDelta& one : deltas) {
      if (!one.id.empty()) {
        events += close_item("completed");
        open_ = Item::Call;
        call_ = {one.id, one.name, ""};
        events += event("response.output_item.added",
                        {{"output_index", output_},
                         {"item", call_item(call_item_id(calls_), call_, "in_progress")}});
      }
      if (one.arguments.empty()) continue;
      call_.arguments += one.arguments;
      events += event("response.function_call_arguments.delta",
                      {{"item_id", call_item_id(calls_)},
                       {"output_index", output_},
                       {"delta", one.arguments}});
    }
    return events;
  }

  std::string close_choice(int, const Choice& choice, const OrderedJson&) override {
    std::string events;
    if (output_ == 0 && open_ == Item::None) events = open_message();  // an empty answer has one
    events += close_item(status_of(choice));
    return events;
  }

  std::string close(const ChatReply& reply) override {
    const bool complete = reply.choices.front().finish != "length";
    return event(complete ? "response.completed" : "response.incomplete",
                 {{"response", whole(reply)}});
  }

  std::string failure(const ApiError& error) override {
    return event("error", {{"code", error.code},
                           {"message", error.message},
                           {"param", error.param.empty() ? OrderedJson(nullptr)
                                                         : OrderedJson(error.param)}});
  }

 private:
  static const char* status_of(const Choice& choice) {
    return choice.finish == "length" ? "incomplete" : "completed";
  }

  OrderedJson response(const ChatReply& reply, const char* status) const {
    OrderedJson json = {{"id", "resp_" + reply.id},
                        {"object", "response"},
                        {"created_at", reply.created},
                        {"status", status},
                        {"background", false},
                        {"error", nullptr},
                        {"incomplete_details", nullptr},
                        {"model", reply.model},
                        {"output", OrderedJson::array()},
                        {"parallel_tool_calls", true},
                        {"previous_response_id", nullptr},
                        {"reasoning", {{"effort", nullptr}, {"summary", nullptr}}},
                        {"store", false},
                        {"text", {{"format", {{"type", "text"}}}}},
                        {"tool_choice", "auto"},
                        {"tools", OrderedJson::array()},
                        {"truncation", "disabled"},
                        {"usage", nullptr}};
    json.update(echo_);
    return json;
  }

  enum class Item { None, Message, Call };

  std::string call_item_id(size_t call) const { return "fc_" + id_ + "_" + std::to_string(call); }

  std::string open_message() {
    if (open_ == Item::Message) return "";
    std::string events = close_item("completed");
    open_ = Item::Message;
    events += event("response.output_item.added",
                    {{"output_index", output_},
                     {"item", message_item(id_, "in_progress", OrderedJson::array())}});
    events += event("response.content_part.added", in_part({{"part", text_part("")}}));
    return events;
  }

  std::string close_item(const char* status) {
    std::string events;
    if (open_ == Item::Message) {
      const OrderedJson part = text_part(content_);
      events += event("response.output_text.done",
                      in_part({{"text", content_}, {"logprobs", OrderedJson::array()}}));
      events += event("response.content_part.done", in_part({{"part", part}}));
      events += event("response.output_item.done",
                      {{"output_index", output_++},
                       {"item", message_item(id_, status, OrderedJson::array({part}))}});
    } else if (open_ == Item::Call) {
      const std::string item_id = call_item_id(calls_++);
      events += event("response.function_call_arguments.done",
                      {{"item_id", item_id},
                       {"output_index", output_},
                       {"name", call_.name},
                       {"arguments", call_.arguments}});
      events += event("response.output_item.done",
                      {{"output_index", output_++}, {"item", call_item(item_id, call_, status)}});
    }
    open_ = Item::None;
    return events;
  }

  OrderedJson in_part(OrderedJson more) const {
    OrderedJson json = {{"item_id", "msg_" + id_}, {"output_index", output_}, {"content_index", 0}};
    json.update(more);
    return json;
  }

  std::string event(const char* type, const OrderedJson& more) {
    OrderedJson json = {{"type", type}, {"sequence_number", sequence_++}};
    json.update(more);
    return std::string("event: ") + type + "\n" + event_of(json);
  }

  OrderedJson echo_;
  std::string id_;
  int sequence_ = 0;
  int output_ = 0;    // items that are done
  size_t calls_ = 0;  // of those, calls
  Item open_ = Item::None;
  std::string content_;  // of the message
  ToolCall call_;
};

}  // namespace

std::unique_ptr<ReplyWriter> responses_writer(const ResponsesRequest& request) {
  return std::make_unique<ResponsesWriter>(request.echo);
}

}  // namespace tinyarms::openai
