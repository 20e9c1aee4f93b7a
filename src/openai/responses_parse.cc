#include <fmt/format.h>

#include "openai/chat_parse.h"
#include "openai/responses.h"

namespace tinyarms::openai {
namespace {

constexpr size_t kItemsMax = 4096;

void read_item(FieldReader& outer, const Json& json, const std::string& path,
               ChatRequest& request) {
  FieldReader item(json, path);
  const std::string type = item.text("type").value_or("message");
  if (type == "reasoning") return;  // a model's thinking before: nothing to go on from here
  if (type != "message") {
    item.fail(fmt::format("'{}' is not served: only messages are", type.substr(0, 40)),
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
  const Json* tools = reader.list("tools");
  const Json* choice = reader.find("tool_choice");
  const bool none = choice != nullptr && *choice == "none";
  if (tools != nullptr && !tools->empty() && !none) refuse("tools are not served yet", "tools");
  const Json* text = reader.object("text");
  if (text == nullptr) return;
  FieldReader fields(*text, "text");
  if (const Json* format = fields.object("format")) {
    if (FieldReader(*format, "text.format").text("type").value_or("text") != "text") {
      fields.fail("formats other than text are not served yet", "text.format",
                  ErrorCode::Unsupported);
    }
  }
  if (fields.error()) reader.adopt(*fields.error());
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
                                                   : OrderedJson::object()}};
  return request;
}

}  // namespace tinyarms::openai
