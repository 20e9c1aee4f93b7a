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

class ResponsesWriter final : public ReplyWriter {
 public:
  explicit ResponsesWriter(OrderedJson echo) : echo_(std::move(echo)) {}

  OrderedJson whole(const ChatReply& reply) override {
    const Choice& choice = reply.choices.front();
    OrderedJson json = response(reply, status_of(choice));
    if (choice.finish == "length") json["incomplete_details"] = {{"reason", "max_output_tokens"}};
    json["output"].push_back(message_item(
        reply.id, status_of(choice), OrderedJson::array({text_part(choice.content)})));
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
    events += event("response.output_item.added",
                    {{"output_index", 0},
                     {"item", message_item(id_, "in_progress", OrderedJson::array())}});
    events += event("response.content_part.added", in_part({{"part", text_part("")}}));
    return events;
  }

  std::string text(int, std::string_view piece, const std::vector<TokenLogprob>&) override {
    return event("response.output_text.delta",
                 in_part({{"delta", piece}, {"logprobs", OrderedJson::array()}}));
  }

  std::string close_choice(int, const Choice& choice, const OrderedJson&) override {
    const OrderedJson part = text_part(choice.content);
    std::string events =
        event("response.output_text.done",
              in_part({{"text", choice.content}, {"logprobs", OrderedJson::array()}}));
    events += event("response.content_part.done", in_part({{"part", part}}));
    events += event(
        "response.output_item.done",
        {{"output_index", 0},
         {"item", message_item(id_, status_of(choice), OrderedJson::array({part}))}});
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

  OrderedJson in_part(OrderedJson more) const {
    OrderedJson json = {{"item_id", "msg_" + id_}, {"output_index", 0}, {"content_index", 0}};
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
};

}  // namespace

std::unique_ptr<ReplyWriter> responses_writer(const ResponsesRequest& request) {
  return std::make_unique<ResponsesWriter>(request.echo);
}

}  // namespace tinyarms::openai
