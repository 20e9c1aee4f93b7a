#include <fmt/format.h>

#include "openai/chat_parse.h"
#include "openai/responses.h"

namespace tinyarms::openai {
namespace {

constexpr size_t kItemsMax = 4096;

// Calls are items of their own here, and belong to the assistant's turn before them.
void read_call(FieldReader& item, const std::string& path, ChatRequest& request) {
  ToolCall call{item.text("call_id").value_or(""), item.text("name").value_or(""),
                item.text("arguments").value_or("{}")};
  if (!is_tool_name(call.name)) item.fail("is no name of a tool", path + ".name");
  if (item.error()) return;
  if (request.messages.empty() || request.messages.back().role != "assistant") {
    request.messages.push_back({.role = "assistant", .content = ""});
  }
  request.messages.back().tool_calls.push_back(std::move(call));
}

void read_result(FieldReader& item, const std::string& path, ChatRequest& request) {
  ChatMessage message{.role = "tool", .content = ""};
  message.tool_call_id = item.text("call_id").value_or("");
  if (const Json* output = item.find("output")) {
    message.content = read_content(item, *output, path + ".output");
  } else {
    item.fail("is missing", path + ".output");
  }
  request.messages.push_back(std::move(message));
}

void read_item(FieldReader& outer, const Json& json, const std::string& path,
               ChatRequest& request) {
  FieldReader item(json, path);
  const std::string type = item.text("type").value_or("message");
  if (type == "reasoning") return;  // a model's thinking before: nothing to go on from here
  if (type == "function_call" || type == "function_call_output") {
    type == "function_call" ? read_call(item, path, request) : read_result(item, path, request);
    if (item.error()) outer.adopt(*item.error());
    return;
  }
  if (type != "message") {
    item.fail(fmt::format("'{}' is not served: messages and calls of functions are",
                          type.substr(0, 40)),
              path + ".type", ErrorCode::Unsupported);
    return outer.adopt(*item.error());
  }
  const std::string role = item.text("role").value_or("");
  ChatMessage message{.role = role == "developer" ? "system" : role, .content = ""};
  if (message.role != "system" && message.role != "user" && message.role != "assistant") {
    item.fail("must be one of 'system', 'developer', 'user', 'assistant'", path + ".role");
  }
  if (const Json* content = item.find("content")) {
    message.content = read_content(item, *content, path + ".content");
  } else {
    item.fail("is missing", path + ".content");
  }
  if (item.error()) return outer.adopt(*item.error());
  request.messages.push_back(std::move(message));
}

void read_input(FieldReader& reader, ChatRequest& request) {
  const Json* input = reader.find("input");
  if (input == nullptr) return reader.fail("is missing", "input");
  if (!input->is_array()) {
    request.messages.push_back({.role = "user", .content = read_content(reader, *input, "input")});
    return;
  }
  if (input->empty() || input->size() > kItemsMax) {
    return reader.fail(fmt::format("must be a text or a list of 1 to {} items", kItemsMax),
                       "input");
  }
  for (size_t i = 0; i < input->size() && !reader.error(); ++i) {
    read_item(reader, (*input)[i], fmt::format("input[{}]", i), request);
  }
  if (request.messages.empty()) reader.fail("holds no message", "input");
}

// What would change the answer and is not there is refused, and nothing is kept here.
void refuse_what_is_missing(FieldReader& reader) {
  const auto refuse = [&](const char* what, const char* field) {
    reader.fail(what, field, ErrorCode::Unsupported);
  };
  constexpr const char* kMemory = "nothing is kept between requests: send the whole conversation";
  if (reader.find("previous_response_id") != nullptr) refuse(kMemory, "previous_response_id");
  if (reader.find("conversation") != nullptr) refuse(kMemory, "conversation");
  if (reader.find("prompt") != nullptr) refuse("there are no stored prompts here", "prompt");
  if (reader.flag("background").value_or(false)) refuse("is not served", "background");
}

void read_response_tools(FieldReader& reader, ChatRequest& request) {
  const Json* choice = reader.find("tool_choice");
  const std::string word = choice != nullptr && choice->is_string() ? choice->get<std::string>()
                                                                    : "";
  const Json* tools = reader.list("tools");
  if (tools != nullptr && tools->size() > kToolsMax) {
    return reader.fail(fmt::format("may hold at most {} tools", kToolsMax), "tools");
  }
  for (size_t i = 0; tools != nullptr && i < tools->size() && word != "none"; ++i) {
    const std::string path = fmt::format("tools[{}]", i);
    FieldReader tool((*tools)[i], path);
    if (tool.text("type").value_or("") != "function") {
      tool.fail("only tools of type 'function' are served", path + ".type", ErrorCode::Unsupported);
    }
    if (tool.error()) return reader.adopt(*tool.error());
    read_function(reader, (*tools)[i], path, request.tools.emplace_back());
  }
  request.parallel_tool_calls = reader.flag("parallel_tool_calls").value_or(true);
  if (choice == nullptr || word == "auto") return;
  if (word == "none" || word == "required") {
    request.tool_choice = word == "none" ? ToolChoice::None : ToolChoice::Required;
  } else if (choice->is_object()) {
    request.tool_choice = ToolChoice::Named;
    request.tool_named = FieldReader(*choice, "tool_choice").text("name").value_or("");
  } else {
    return reader.fail("must be 'none', 'auto', 'required' or a function", "tool_choice");
  }
  bool known = word == "none" || (word == "required" && !request.tools.empty());
  for (const Tool& tool : request.tools) known = known || tool.name == request.tool_named;
  if (!known) reader.fail("there is no such tool in 'tools'", "tool_choice");
}

void read_response_format(FieldReader& reader, ChatRequest& request) {
  const Json* text = reader.object("text");
  if (text == nullptr) return;
  FieldReader fields(*text, "text");
  if (const Json* format = fields.object("format")) {
    FieldReader inner(*format, "text.format");
    const std::string type = inner.text("type").value_or("text");
    if (type == "json_object") {
      request.format = Format::JsonObject;
    } else if (type == "json_schema") {
      request.format = Format::JsonSchema;
      request.schema_place = "text.format.schema";
      const Json* schema = inner.object("schema");
      if (schema == nullptr) inner.fail("is missing", request.schema_place);
      request.schema = schema != nullptr ? schema->dump() : "";
    } else if (type != "text") {
      inner.fail("must be 'text', 'json_object' or 'json_schema'", "text.format.type");
    }
    if (inner.error()) fields.adopt(*inner.error());
  }
  if (fields.error()) reader.adopt(*fields.error());
}

OrderedJson own_or(const Json& body, const char* name, OrderedJson otherwise) {
  const auto found = body.find(name);
  return found == body.end() || found->is_null() ? std::move(otherwise) : OrderedJson(*found);
}

}  // namespace

Result<ResponsesRequest> parse_responses(const Json& body) {
  FieldReader reader(body, "");
  ResponsesRequest request;
  ChatRequest& chat = request.chat;
  chat.model = reader.text("model").value_or("");
  if (chat.model.empty()) reader.fail("you must provide a model", "model");
  const auto instructions = reader.text("instructions");
  if (instructions) {
    chat.messages.push_back({.role = "system", .content = read_content(reader, *instructions,
                                                                       "instructions")});
  }
  read_input(reader, chat);
  if (auto limit = reader.integer("max_output_tokens", 1, kTokensMax)) {
    chat.tokens_max = static_cast<int>(*limit);
  }
  chat.temperature = reader.number("temperature", 0, 2);
  chat.top_p = reader.number("top_p", 0, 1);
  chat.stream = reader.flag("stream").value_or(false);
  refuse_what_is_missing(reader);
  read_response_tools(reader, chat);
  read_response_format(reader, chat);
  read_wishes(reader, chat.wishes);
  if (reader.error()) return *reader.error();
  const auto or_null = [&](const auto& value) {
    return value ? OrderedJson(*value) : OrderedJson(nullptr);
  };
  const Json* metadata = reader.object("metadata");
  request.echo = {{"instructions", or_null(instructions)},
                  {"max_output_tokens", or_null(chat.tokens_max)},
                  {"temperature", or_null(chat.temperature)},
                  {"top_p", or_null(chat.top_p)},
                  {"metadata", metadata != nullptr ? OrderedJson(*metadata)
                                                   : OrderedJson::object()},
                  {"parallel_tool_calls", chat.parallel_tool_calls},
                  {"tools", own_or(body, "tools", OrderedJson::array())},
                  {"tool_choice", own_or(body, "tool_choice", "auto")},
                  {"text", own_or(body, "text", {{"format", {{"type", "text"}}}})}};
  return request;
}

}  // namespace tinyarms::openai
