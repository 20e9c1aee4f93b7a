#include "remote/anthropic_wire.h"

#include <algorithm>
#include <optional>

#include "remote/json_fields.h"

namespace tinyarms::remote {
namespace {

using MessagesJson = nlohmann::json;

constexpr const char* kAnswerTool = "answer";
constexpr int64_t kBlocksMax = 256;

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

// Arguments as the object that the API wants; a model's garbled ones must not make a request of
// ours invalid.
MessagesJson input_of(const std::string& arguments) {
  MessagesJson input = MessagesJson::parse(arguments, nullptr, false);
  return input.is_object() ? input : MessagesJson::object();
}

MessagesJson blocks_of(const ChatMessage& message) {
  MessagesJson blocks = MessagesJson::array();
  if (message.role == "tool") {
    blocks.push_back({{"type", "tool_result"},
                      {"tool_use_id", message.tool_call_id},
                      {"content", message.content}});
    return blocks;
  }
  // Neither an empty nor a blank text may be sent.
  if (!is_blank(message.content)) {
    blocks.push_back({{"type", "text"}, {"text", message.content}});
  }
  for (const ToolCall& call : message.tool_calls) {
    blocks.push_back({{"type", "tool_use"},
                      {"id", call.id},
                      {"name", call.name},
                      {"input", input_of(call.arguments)}});
  }
  return blocks;
}

// Turns alternate: results of tools are the user's, and what follows in the same role is one turn.
void add_turns(const std::vector<ChatMessage>& messages, MessagesJson& body) {
  std::string system;
  MessagesJson turns = MessagesJson::array();
  for (const ChatMessage& message : messages) {
    if (message.role == "system") {
      system += (system.empty() ? "" : "\n\n") + message.content;
      continue;
    }
    MessagesJson blocks = blocks_of(message);
    if (blocks.empty()) continue;
    const char* role = message.role == "assistant" ? "assistant" : "user";
    if (turns.empty() || turns.back()["role"] != role) {
      turns.push_back({{"role", role}, {"content", MessagesJson::array()}});
    }
    for (MessagesJson& block : blocks) turns.back()["content"].push_back(std::move(block));
  }
  if (!is_blank(system)) body["system"] = system;
  body["messages"] = std::move(turns);
}

void add_tools(const ChatOptions& options, MessagesJson& body) {
  if (answers_by_tool(options)) {
    body["tools"] = {{{"name", kAnswerTool},
                      {"description", "Takes the whole answer."},
                      {"input_schema", schema_of(options.json_schema)}}};
    body["tool_choice"] = {{"type", "tool"}, {"name", kAnswerTool}};
    return;
  }
  if (options.tools.empty()) return;
  for (const Tool& tool : options.tools) {
    MessagesJson schema = schema_of(tool.parameters);
    schema.emplace("type", "object");
    body["tools"].push_back({{"name", tool.name},
                             {"description", tool.description},
                             {"input_schema", std::move(schema)}});
  }
  constexpr std::string_view kNamed = "name:";
  MessagesJson choice = {{"type", "auto"}};
  if (options.tool_choice == "required") choice = {{"type", "any"}};
  if (options.tool_choice.starts_with(kNamed)) {
    choice = {{"type", "tool"}, {"name", options.tool_choice.substr(kNamed.size())}};
  }
  if (!options.parallel_tool_calls) choice["disable_parallel_tool_use"] = true;
  body["tool_choice"] = std::move(choice);
}

int64_t prompt_of(const MessagesJson& usage) {
  return count_of(member(usage, "input_tokens")) +
         count_of(member(usage, "cache_creation_input_tokens")) +
         count_of(member(usage, "cache_read_input_tokens"));
}

std::optional<int64_t> index_of(const MessagesJson& event) {
  const MessagesJson& index = member(event, "index");
  if (!index.is_number_unsigned() || index.get<uint64_t>() >= kBlocksMax) return std::nullopt;
  return index.get<int64_t>();
}

}  // namespace

struct AnthropicReader::Event {
  const MessagesJson& json;
};

bool answers_by_tool(const ChatOptions& options) {
  return options.tools.empty() && !options.json_schema.empty() &&
         text_of(member(schema_of(options.json_schema), "type")) == "object";
}

std::string messages_body(const WireOptions& wire, const std::vector<ChatMessage>& messages,
                          const ChatOptions& options) {
  MessagesJson body = {
      {"model", wire.model}, {"stream", true}, {"max_tokens", options.tokens_max}};
  add_turns(messages, body);
  add_tools(options, body);
  // Newer models take one of the two only, and this one ends at 1.
  if (options.temperature == 1 && options.top_p < 1) {
    body["top_p"] = options.top_p;
  } else {
    body["temperature"] = std::min(options.temperature, 1.0);
  }
  for (const std::string& stop : options.stop) {
    if (!is_blank(stop)) body["stop_sequences"].push_back(stop);
  }
  return body.dump(-1, ' ', false, MessagesJson::error_handler_t::replace);
}

Result<void> AnthropicReader::take_event(std::string_view data) {
  const MessagesJson json = MessagesJson::parse(data, nullptr, false);
  const std::string type = text_of(member(json, "type"));
  if (!json.is_object() || type.empty()) return not_a_reply();
  if (type == "error") return broken_off(data);
  if (type == "message_start") {
    const MessagesJson& message = member(json, "message");
    if (!message.is_object() || begun_) return not_a_reply();
    begun_ = true;
    reply_.model = text_of(member(message, "model"));
    reply_.prompt_tokens = prompt_of(member(message, "usage"));
    reply_.completion_tokens = count_of(member(member(message, "usage"), "output_tokens"));
    return {};
  }
  if (type == "content_block_start") return begin_block({json});
  if (type == "content_block_delta") return go_on({json});
  if (type == "content_block_stop") return end_block({json});
  if (type == "message_delta") {
    if (!begun_) return not_a_reply();
    // Cumulative, and not each time said.
    const MessagesJson& usage = member(json, "usage");
    if (const int64_t tokens = count_of(member(usage, "output_tokens")); tokens > 0) {
      reply_.completion_tokens = tokens;
    }
    if (const int64_t tokens = prompt_of(usage); tokens > 0) reply_.prompt_tokens = tokens;
    finish(text_of(member(member(json, "delta"), "stop_reason")));
  }
  if (type == "message_stop") {
    if (!begun_) return not_a_reply();
    done_ = true;
  }
  return {};
}

AnthropicReader::Block AnthropicReader::open_block(const Event& block) {
  const std::string type = text_of(member(block.json, "type"));
  if (type == "text") return {by_tool_ ? Kind::Other : Kind::Text};
  if (type != "tool_use") return {};
  if (by_tool_) return {Kind::Answer};
  const size_t call = reply_.tool_calls.size();
  take_tool({call, text_of(member(block.json, "id")), text_of(member(block.json, "name")), ""});
  return reply_.tool_calls.size() > call ? Block{Kind::Call, call} : Block{};
}

Result<void> AnthropicReader::begin_block(const Event& event) {
  const auto index = index_of(event.json);
  if (!begun_ || !index || blocks_.contains(*index)) return not_a_reply();
  const MessagesJson& block = member(event.json, "content_block");
  const Block& opened = blocks_.emplace(*index, open_block({block})).first->second;
  const std::string text = text_of(member(block, "text"));
  if (opened.kind == Kind::Text && !text.empty()) take_text(text);
  return {};
}

void AnthropicReader::add_input(Block& block, const std::string& piece) {
  if (piece.empty()) return;
  block.empty = false;
  if (block.kind == Kind::Answer) take_text(piece);
  if (block.kind == Kind::Call) take_tool({block.call, "", "", piece});
}

Result<void> AnthropicReader::go_on(const Event& event) {
  const auto index = index_of(event.json);
  const auto found = index ? blocks_.find(*index) : blocks_.end();
  if (found == blocks_.end()) return not_a_reply();
  const MessagesJson& delta = member(event.json, "delta");
  const std::string type = text_of(member(delta, "type"));
  if (type == "text_delta" && found->second.kind == Kind::Text) {
    if (const std::string text = text_of(member(delta, "text")); !text.empty()) take_text(text);
  }
  if (type == "input_json_delta") {
    add_input(found->second, text_of(member(delta, "partial_json")));
  }
  return {};
}

Result<void> AnthropicReader::end_block(const Event& event) {
  const auto index = index_of(event.json);
  const auto found = index ? blocks_.find(*index) : blocks_.end();
  if (found == blocks_.end()) return not_a_reply();
  // A tool without arguments gets no piece of them.
  if (found->second.empty) add_input(found->second, "{}");
  return {};
}

void AnthropicReader::finish(const std::string& reason) {
  if (reason.empty()) return;
  started_ = true;
  reply_.finish_reason = "stop";
  if (reason == "max_tokens" || reason == "model_context_window_exceeded" ||
      reason == "pause_turn") {
    reply_.finish_reason = "length";
  }
  if (reason == "tool_use" && !by_tool_) reply_.finish_reason = "tool_calls";
  if (reason == "refusal") reply_.finish_reason = "content_filter";
}

Result<void> AnthropicReader::take_object(std::string_view body) {
  const MessagesJson message = MessagesJson::parse(body, nullptr, false);
  const MessagesJson& content = member(message, "content");
  if (text_of(member(message, "type")) != "message" || !content.is_array()) return not_a_reply();
  begun_ = started_ = done_ = true;
  reply_.model = text_of(member(message, "model"));
  reply_.prompt_tokens = prompt_of(member(message, "usage"));
  reply_.completion_tokens = count_of(member(member(message, "usage"), "output_tokens"));
  for (const MessagesJson& part : content) {
    Block block = open_block({part});
    if (block.kind == Kind::Text) {
      if (const std::string text = text_of(member(part, "text")); !text.empty()) take_text(text);
    } else if (block.kind != Kind::Other) {
      const MessagesJson& input = member(part, "input");
      add_input(block, input.is_object()
                           ? input.dump(-1, ' ', false, MessagesJson::error_handler_t::replace)
                           : "{}");
    }
  }
  finish(text_of(member(message, "stop_reason")));
  return {};
}

}  // namespace tinyarms::remote
