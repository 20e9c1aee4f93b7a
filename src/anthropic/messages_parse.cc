#include <fmt/format.h>

#include "anthropic/messages.h"
#include "openai/chat_parse.h"

namespace tinyarms::anthropic {
namespace {

using openai::ChatMessage;
using openai::ChatRequest;
using openai::FieldReader;
using openai::Json;

constexpr size_t kMessagesMax = 4096;

void read_block(FieldReader& outer, const Json& json, const std::string& path,
                ChatMessage& message, std::vector<ChatMessage>& results) {
  FieldReader block(json, path);
  const std::string type = block.text("type").value_or("");
  if (type == "text") {
    if (!message.content.empty()) message.content += "\n";
    message.content += block.text("text").value_or("");
  } else if (type == "tool_use") {
    const Json* input = block.object("input");
    message.tool_calls.push_back({block.text("id").value_or(""), block.text("name").value_or(""),
                                  input != nullptr ? input->dump() : "{}"});
    if (!openai::is_tool_name(message.tool_calls.back().name)) {
      block.fail("is no name of a tool", path + ".name");
    }
  } else if (type == "tool_result") {
    ChatMessage result{.role = "tool", .content = ""};
    result.tool_call_id = block.text("tool_use_id").value_or("");
    if (const Json* content = block.find("content")) {
      result.content = openai::read_content(block, *content, path + ".content");
    }
    results.push_back(std::move(result));
  } else if (type != "thinking" && type != "redacted_thinking") {
    block.fail(fmt::format("'{}' is not served: only text and tools are", type.substr(0, 40)),
               path + ".type", ErrorCode::Unsupported);
  }
  if (block.error()) outer.adopt(*block.error());
}

void read_message(FieldReader& outer, const Json& json, const std::string& path,
                  ChatRequest& request) {
  FieldReader reader(json, path);
  ChatMessage message{.role = reader.text("role").value_or(""), .content = ""};
  if (message.role != "user" && message.role != "assistant") {
    reader.fail("must be 'user' or 'assistant'", path + ".role");
  }
  std::vector<ChatMessage> results;
  const Json* content = reader.find("content");
  if (content == nullptr) {
    reader.fail("is missing", path + ".content");
  } else if (content->is_array()) {
    for (size_t i = 0; i < content->size(); ++i) {
      read_block(reader, (*content)[i], fmt::format("{}.content[{}]", path, i), message, results);
    }
  } else {
    message.content = openai::read_content(reader, *content, path + ".content");
  }
  if (reader.error()) return outer.adopt(*reader.error());
  const bool only_results = !results.empty() && message.content.empty();
  for (ChatMessage& result : results) request.messages.push_back(std::move(result));
  if (!only_results) request.messages.push_back(std::move(message));
}

void read_tools(FieldReader& reader, ChatRequest& request) {
  const Json* tools = reader.list("tools");
  if (tools == nullptr) return;
  if (tools->size() > openai::kToolsMax) return reader.fail("are too many", "tools");
  for (size_t i = 0; i < tools->size(); ++i) {
    const std::string path = fmt::format("tools[{}]", i);
    FieldReader fields((*tools)[i], path);
    openai::Tool tool;
    const std::string type = fields.text("type").value_or("custom");
    if (type != "custom") {
      fields.fail(fmt::format("'{}' is not served: only tools of your own are", type.substr(0, 40)),
                  path + ".type", ErrorCode::Unsupported);
    }
    tool.name = fields.text("name").value_or("");
    tool.description = fields.text("description").value_or("");
    const Json* schema = fields.object("input_schema");
    tool.parameters = schema != nullptr ? schema->dump() : "{}";
    tool.place = path + ".input_schema";
    if (!openai::is_tool_name(tool.name)) {
      fields.fail("must be 1 to 64 letters, digits, '_', '-' or '.'", path + ".name");
    }
    if (fields.error()) return reader.adopt(*fields.error());
    request.tools.push_back(std::move(tool));
  }
  const Json* choice = reader.object("tool_choice");
  if (choice == nullptr) return;
  FieldReader fields(*choice, "tool_choice");
  const std::string type = fields.text("type").value_or("");
  request.parallel_tool_calls = !fields.flag("disable_parallel_tool_use").value_or(false);
  request.tool_named = fields.text("name").value_or("");
  if (type == "any") {
    request.tool_choice = openai::ToolChoice::Required;
  } else if (type == "none") {
    request.tool_choice = openai::ToolChoice::None;
  } else if (type == "tool") {
    request.tool_choice = openai::ToolChoice::Named;
  } else if (type != "auto") {
    fields.fail("must be 'auto', 'any', 'tool' or 'none'", "tool_choice.type");
  }
  const bool named = request.tool_choice == openai::ToolChoice::Named;
  bool known = !named && !request.tools.empty();
  for (const openai::Tool& tool : request.tools) known = known || tool.name == request.tool_named;
  if (!known && (named || request.tool_choice == openai::ToolChoice::Required)) {
    fields.fail("there is no such tool in 'tools'", "tool_choice");
  }
  if (fields.error()) reader.adopt(*fields.error());
}

void read_conversation(FieldReader& reader, ChatRequest& request) {
  request.model = reader.text("model").value_or("");
  if (request.model.empty()) reader.fail("Field required", "model");
  if (const Json* system = reader.find("system")) {
    request.messages.push_back(
        {.role = "system", .content = openai::read_content(reader, *system, "system")});
  }
  const Json* messages = reader.list("messages");
  if (messages == nullptr || messages->empty() || messages->size() > kMessagesMax) {
    reader.fail("must be a list of 1 to 4096 messages", "messages");
  } else {
    for (size_t i = 0; i < messages->size() && !reader.error(); ++i) {
      read_message(reader, (*messages)[i], fmt::format("messages[{}]", i), request);
    }
  }
  read_tools(reader, request);
  openai::read_wishes(reader, request.wishes);
}

}  // namespace

Result<ChatRequest> parse_count(const Json& body) {
  FieldReader reader(body, "");
  ChatRequest request;
  read_conversation(reader, request);
  if (reader.error()) return *reader.error();
  return request;
}

Result<ChatRequest> parse_messages(const Json& body) {
  FieldReader reader(body, "");
  ChatRequest request;
  read_conversation(reader, request);
  if (auto limit = reader.integer("max_tokens", 1, openai::kTokensMax)) {
    request.tokens_max = static_cast<int>(*limit);
  } else {
    reader.fail("Field required", "max_tokens");
  }
  request.temperature = reader.number("temperature", 0, 1);
  request.top_p = reader.number("top_p", 0, 1);
  if (auto k = reader.integer("top_k", 0, 1000000)) request.top_k = static_cast<int>(*k);
  request.stop = reader.texts("stop_sequences", 16);
  request.stream = reader.flag("stream").value_or(false);
  if (reader.error()) return *reader.error();
  return request;
}

}  // namespace tinyarms::anthropic
