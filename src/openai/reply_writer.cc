#include "openai/reply_writer.h"

namespace tinyarms::openai {
namespace {

// chat.completion.chunk: a role for each choice, contents, a finish_reason each, then (with
// stream_options.include_usage) one chunk without choices that has the usage, then [DONE].
class ChunkWriter : public ReplyWriter {
 public:
  ChunkWriter(const ChatRequest& request, const char* prefix, const char* object)
      : choices_(request.n), include_usage_(request.include_usage), prefix_(prefix),
        object_(object) {}

  std::string open(const ChatReply& head) override {
    head_ = {{"id", prefix_ + head.id},
             {"object", object_},
             {"created", head.created},
             {"model", head.model},
             {"system_fingerprint", head.fingerprint}};
    std::string events;
    for (int i = 0; i < choices_; ++i) events += open_choice(i);
    return events;
  }

  std::string close(const ChatReply& reply) override {
    std::string events;
    if (include_usage_) {
      OrderedJson json = chunk(OrderedJson::array());
      json["usage"] = usage_json(reply.usage);
      events = event_of(json);
    }
    return events + std::string(kDoneEvent);
  }

  std::string failure(const ApiError& error) override { return event_of(error_json(error)); }

 protected:
  virtual std::string open_choice(int index) = 0;

  OrderedJson chunk(OrderedJson choices) const {
    OrderedJson json = head_;
    json["choices"] = std::move(choices);
    if (include_usage_) json["usage"] = nullptr;
    return json;
  }

 private:
  int choices_;
  bool include_usage_;
  std::string prefix_;
  std::string object_;
  OrderedJson head_;
};

class ChatWriter final : public ChunkWriter {
 public:
  explicit ChatWriter(const ChatRequest& request)
      : ChunkWriter(request, "chatcmpl-", "chat.completion.chunk") {}

  OrderedJson whole(const ChatReply& reply) override { return chat_json(reply); }

  std::string text(int index, std::string_view piece,
                   const std::vector<TokenLogprob>& logprobs) override {
    return event_of(delta(index, {{"content", piece}}, nullptr, logprobs_json(logprobs)));
  }

  std::string tools(int index, const std::vector<ToolDelta>& deltas) override {
    OrderedJson list = OrderedJson::array();
    for (const ToolDelta& one : deltas) {
      OrderedJson json = {{"index", one.index}};
      if (!one.id.empty()) {
        json["id"] = one.id;
        json["type"] = "function";
        json["function"]["name"] = one.name;
      }
      json["function"]["arguments"] = one.arguments;
      list.push_back(std::move(json));
    }
    return event_of(delta(index, {{"tool_calls", std::move(list)}}, nullptr, nullptr));
  }

  std::string close_choice(int index, const Choice& choice, const OrderedJson& tinyarms) override {
    OrderedJson last = delta(index, OrderedJson::object(), choice.finish, nullptr);
    if (!tinyarms.is_null()) last["tinyarms"] = tinyarms;
    return event_of(last);
  }

 private:
  std::string open_choice(int index) override {
    return event_of(delta(
        index, {{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}}, nullptr, nullptr));
  }

  OrderedJson delta(int index, OrderedJson changes, OrderedJson finish,
                    OrderedJson logprobs) const {
    OrderedJson choices = OrderedJson::array();
    choices.push_back({{"index", index},
                       {"delta", std::move(changes)},
                       {"logprobs", std::move(logprobs)},
                       {"finish_reason", std::move(finish)}});
    return chunk(std::move(choices));
  }
};

class CompletionWriter final : public ChunkWriter {
 public:
  explicit CompletionWriter(const ChatRequest& request)
      : ChunkWriter(request, "cmpl-", "text_completion"),
        echo_(request.echo ? request.prefix : std::string()) {}

  OrderedJson whole(const ChatReply& reply) override {
    if (echo_.empty()) return completion_json(reply);
    ChatReply echoed = reply;
    for (Choice& choice : echoed.choices) choice.content = echo_ + choice.content;
    return completion_json(echoed);
  }

  std::string text(int index, std::string_view piece,
                   const std::vector<TokenLogprob>& logprobs) override {
    return event_of(part(index, piece, nullptr, completion_logprobs_json(logprobs)));
  }

  std::string tools(int, const std::vector<ToolDelta>&) override { return ""; }

  std::string close_choice(int index, const Choice& choice, const OrderedJson& tinyarms) override {
    OrderedJson last = part(index, "", choice.finish, nullptr);
    if (!tinyarms.is_null()) last["tinyarms"] = tinyarms;
    return event_of(last);
  }

 private:
  std::string open_choice(int index) override {
    return echo_.empty() ? "" : event_of(part(index, echo_, nullptr, nullptr));
  }

  OrderedJson part(int index, std::string_view text, OrderedJson finish,
                   OrderedJson logprobs) const {
    OrderedJson choices = OrderedJson::array();
    choices.push_back({{"text", text},
                       {"index", index},
                       {"logprobs", std::move(logprobs)},
                       {"finish_reason", std::move(finish)}});
    return chunk(std::move(choices));
  }

  std::string echo_;
};

}  // namespace

std::unique_ptr<ReplyWriter> chat_writer(const ChatRequest& request) {
  return std::make_unique<ChatWriter>(request);
}

std::unique_ptr<ReplyWriter> completion_writer(const ChatRequest& request) {
  return std::make_unique<CompletionWriter>(request);
}

}  // namespace tinyarms::openai
