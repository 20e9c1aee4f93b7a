#include "openai/chat_parse.h"

#include <fmt/format.h>

#include <charconv>

namespace tinyarms::openai {
namespace {

constexpr size_t kMessagesMax = 4096;
constexpr size_t kStopsMax = 16;
constexpr int kChoicesMax = 16;

// A NUL ends texts early in too many places for a prompt to hold one.
std::string clean(FieldReader& reader, std::string text, const std::string& path) {
  if (text.find('\0') != std::string::npos) reader.fail("contains a NUL character", path);
  return text;
}

void read_tool_calls(FieldReader& message, ChatMessage& into) {
  const Json* calls = message.list("tool_calls");
  if (calls == nullptr) return;
  for (size_t i = 0; i < calls->size(); ++i) {
    const std::string path = fmt::format("{}[{}]", message.path_of("tool_calls"), i);
    FieldReader call((*calls)[i], path);
    ToolCall read;
    read.id = call.text("id").value_or("");
    if (const Json* function = call.object("function")) {
      FieldReader fields(*function, path + ".function");
      read.name = fields.text("name").value_or("");
      read.arguments = fields.text("arguments").value_or("{}");
      if (!is_tool_name(read.name)) fields.fail("is no name of a tool", path + ".function.name");
      if (fields.error()) call.adopt(*fields.error());
    } else {
      call.fail("is missing", path + ".function");
    }
    if (call.error()) return message.adopt(*call.error());
    into.tool_calls.push_back(std::move(read));
  }
}

void read_message(FieldReader& outer, const Json& json, const std::string& path,
                  ChatRequest& request) {
  FieldReader reader(json, path);
  ChatMessage message;
  const std::string role = reader.text("role").value_or("");
  message.role = role == "developer" ? "system" : role == "function" ? "tool" : role;
  if (message.role != "system" && message.role != "user" && message.role != "assistant" &&
      message.role != "tool") {
    reader.fail("must be one of 'system', 'developer', 'user', 'assistant', 'tool'",
                path + ".role");
  }
  message.name = reader.text("name").value_or("");
  if (message.role == "assistant") read_tool_calls(reader, message);
  if (message.role == "tool") message.tool_call_id = reader.text("tool_call_id").value_or("");
  if (const Json* content = reader.find("content")) {
    message.content = read_content(reader, *content, path + ".content");
  } else if (message.role != "assistant") {
    reader.fail("is missing", path + ".content");
  }
  if (reader.error()) return outer.adopt(*reader.error());
  request.messages.push_back(std::move(message));
}

void read_messages(FieldReader& reader, ChatRequest& request) {
  const Json* messages = reader.list("messages");
  if (messages == nullptr || messages->empty()) {
    return reader.fail("must be a list of at least one message", "messages");
  }
  if (messages->size() > kMessagesMax) {
    return reader.fail(fmt::format("may hold at most {} messages", kMessagesMax), "messages");
  }
  for (size_t i = 0; i < messages->size() && !reader.error(); ++i) {
    read_message(reader, (*messages)[i], fmt::format("messages[{}]", i), request);
  }
}

void read_tools(FieldReader& reader, ChatRequest& request) {
  if (const Json* tools = reader.list("tools")) {
    if (tools->size() > kToolsMax) {
      return reader.fail(fmt::format("may hold at most {} tools", kToolsMax), "tools");
    }
    for (size_t i = 0; i < tools->size(); ++i) {
      const std::string path = fmt::format("tools[{}]", i);
      FieldReader tool((*tools)[i], path);
      if (tool.text("type").value_or("function") != "function") {
        tool.fail("only tools of type 'function' are served", path + ".type",
                  ErrorCode::Unsupported);
      }
      const Json* function = tool.object("function");
      if (function == nullptr) tool.fail("is missing", path + ".function");
      if (tool.error()) return reader.adopt(*tool.error());
      read_function(reader, *function, path + ".function", request.tools.emplace_back());
    }
  }
  if (const Json* choice = reader.find("tool_choice")) {
    const std::string word = choice->is_string() ? choice->get<std::string>() : "";
    if (word == "none") {
      request.tool_choice = ToolChoice::None;
    } else if (word == "required") {
      request.tool_choice = ToolChoice::Required;
    } else if (choice->is_object()) {
      FieldReader named(*choice, "tool_choice");
      if (const Json* function = named.object("function")) {
        request.tool_choice = ToolChoice::Named;
        request.tool_named =
            FieldReader(*function, "tool_choice.function").text("name").value_or("");
      }
      if (request.tool_named.empty()) reader.fail("names no function", "tool_choice");
    } else if (word != "auto") {
      reader.fail("must be 'none', 'auto', 'required' or a function", "tool_choice");
    }
  }
  request.parallel_tool_calls = reader.flag("parallel_tool_calls").value_or(true);
  if (request.tool_choice == ToolChoice::Named || request.tool_choice == ToolChoice::Required) {
    bool known = request.tool_choice == ToolChoice::Required && !request.tools.empty();
    for (const Tool& tool : request.tools) known = known || tool.name == request.tool_named;
    if (!known) reader.fail("there is no such tool in 'tools'", "tool_choice");
  }
}

void read_format(FieldReader& reader, ChatRequest& request) {
  const Json* format = reader.object("response_format");
  if (format == nullptr) return;
  FieldReader fields(*format, "response_format");
  const std::string type = fields.text("type").value_or("");
  if (type == "json_object") {
    request.format = Format::JsonObject;
  } else if (type == "json_schema") {
    request.format = Format::JsonSchema;
    const Json* wrapped = fields.object("json_schema");
    if (wrapped == nullptr) return reader.fail("is missing", "response_format.json_schema");
    FieldReader inner(*wrapped, "response_format.json_schema");
    request.schema_name = inner.text("name").value_or("");
    const Json* schema = inner.object("schema");
    if (schema == nullptr) inner.fail("is missing", "response_format.json_schema.schema");
    if (inner.error()) return reader.adopt(*inner.error());
    request.schema = schema->dump();
    request.schema_place = "response_format.json_schema.schema";
  } else if (type != "text") {
    fields.fail("must be 'text', 'json_object' or 'json_schema'", "response_format.type");
  }
  if (fields.error()) reader.adopt(*fields.error());
}

void read_logit_bias(FieldReader& reader, ChatRequest& request) {
  const Json* bias = reader.object("logit_bias");
  if (bias == nullptr) return;
  if (bias->size() > 1024) return reader.fail("may name at most 1024 tokens", "logit_bias");
  for (const auto& [key, value] : bias->items()) {
    int token = -1;
    const auto read = std::from_chars(key.data(), key.data() + key.size(), token);
    if (read.ec != std::errc() || read.ptr != key.data() + key.size() || token < 0) {
      return reader.fail("its keys must be token numbers", "logit_bias");
    }
    if (!value.is_number() || value.get<double>() < -100 || value.get<double>() > 100) {
      return reader.fail("its values must be numbers from -100 to 100", "logit_bias");
    }
    request.logit_bias[token] = value.get<double>();
  }
}

void read_streaming(FieldReader& reader, ChatRequest& request) {
  request.stream = reader.flag("stream").value_or(false);
  if (const Json* options = reader.object("stream_options")) {
    FieldReader fields(*options, "stream_options");
    request.include_usage = fields.flag("include_usage").value_or(false);
    if (fields.error()) reader.adopt(*fields.error());
    if (!request.stream) reader.fail("is only allowed with 'stream': true", "stream_options");
  }
}

}  // namespace

bool is_tool_name(const std::string& name) {
  if (name.empty() || name.size() > 64) return false;
  for (const char c : name) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!word && c != '_' && c != '-' && c != '.') return false;
  }
  return true;
}

std::string read_content(FieldReader& reader, const Json& content, const std::string& path) {
  if (content.is_string()) return clean(reader, content.get<std::string>(), path);
  if (!content.is_array()) {
    reader.fail("must be a string or a list of parts", path);
    return "";
  }
  std::string text;
  for (size_t i = 0; i < content.size(); ++i) {
    const std::string place = fmt::format("{}[{}]", path, i);
    FieldReader part(content[i], place);
    const std::string type = part.text("type").value_or("");
    if (type == "text" || type == "input_text" || type == "output_text") {
      if (!text.empty()) text += "\n";
      text += clean(reader, part.text("text").value_or(""), place + ".text");
    } else if (type == "refusal") {
      text += part.text("refusal").value_or("");
    } else {
      part.fail(fmt::format("'{}' is not served: only text is", type.substr(0, 40)),
                place + ".type", ErrorCode::Unsupported);
    }
    if (part.error()) reader.adopt(*part.error());
  }
  return text;
}

void read_function(FieldReader& outer, const Json& function, const std::string& path, Tool& tool) {
  FieldReader fields(function, path);
  tool.name = fields.text("name").value_or("");
  tool.description = fields.text("description").value_or("");
  tool.strict = fields.flag("strict").value_or(false);
  const Json* parameters = fields.object("parameters");
  tool.parameters = parameters != nullptr ? parameters->dump()
                                          : R"({"type":"object","properties":{}})";
  tool.place = path + ".parameters";
  if (!is_tool_name(tool.name)) {
    fields.fail("must be 1 to 64 letters, digits, '_', '-' or '.'", path + ".name");
  }
  if (fields.error()) outer.adopt(*fields.error());
}

void read_sampling(FieldReader& reader, ChatRequest& request) {
  request.model = reader.text("model").value_or("");
  if (request.model.empty()) reader.fail("you must provide a model", "model");
  request.temperature = reader.number("temperature", 0, 2);
  request.top_p = reader.number("top_p", 0, 1);
  if (auto k = reader.integer("top_k", 0, 1000000)) request.top_k = static_cast<int>(*k);
  request.presence_penalty = reader.number("presence_penalty", -2, 2).value_or(0);
  request.frequency_penalty = reader.number("frequency_penalty", -2, 2).value_or(0);
  if (auto seed = reader.integer("seed", INT64_MIN / 1024, INT64_MAX / 1024)) {
    request.seed = static_cast<uint32_t>(*seed);
  }
  request.n = static_cast<int>(reader.integer("n", 1, kChoicesMax).value_or(1));
  request.stop = reader.texts("stop", kStopsMax);
  std::erase(request.stop, "");
  read_logit_bias(reader, request);
  read_streaming(reader, request);
  read_wishes(reader, request.wishes);
}

void read_wishes(FieldReader& reader, Wishes& wishes) {
  const Json* object = reader.object("tinyarms");
  if (object == nullptr) return;
  FieldReader fields(*object, "tinyarms");
  wishes.tier = fields.text("tier");
  wishes.max_tier = fields.text("max_tier");
  wishes.threshold = fields.number("confidence_threshold", 0, 1);
  wishes.seconds_max = fields.number("max_seconds", 0, 86400);
  wishes.cost_max = fields.number("max_cost", 0, 1e9);
  wishes.cache = fields.flag("cache");
  wishes.trace = fields.flag("trace").value_or(false);
  if (fields.error()) reader.adopt(*fields.error());
}

Result<void> read_wish(std::string_view name, const std::string& value, Wishes& wishes) {
  Json object = Json::object();
  const std::string key = name == "confidence-threshold" ? "confidence_threshold"
                          : name == "max-tier"           ? "max_tier"
                          : name == "max-seconds"        ? "max_seconds"
                          : name == "max-cost"           ? "max_cost"
                                                         : std::string(name);
  Json parsed = Json::parse(value, nullptr, false);
  object[key] = parsed.is_number() || parsed.is_boolean() ? parsed : Json(value);
  const Json wrapped = {{"tinyarms", object}};
  FieldReader reader(wrapped, "");
  Wishes read;
  read_wishes(reader, read);
  if (reader.error()) {
    return Error{ErrorCode::InvalidArgument, reader.error()->what,
                 fmt::format("x-tinyarms-{}", name), ""};
  }
  if (read.tier) wishes.tier = read.tier;
  if (read.max_tier) wishes.max_tier = read.max_tier;
  if (read.threshold) wishes.threshold = read.threshold;
  if (read.seconds_max) wishes.seconds_max = read.seconds_max;
  if (read.cost_max) wishes.cost_max = read.cost_max;
  if (read.cache) wishes.cache = read.cache;
  wishes.trace = wishes.trace || read.trace;
  return {};
}

Result<ChatRequest> parse_chat(const Json& body) {
  FieldReader reader(body, "");
  ChatRequest request;
  read_sampling(reader, request);
  read_messages(reader, request);
  auto limit = reader.integer("max_completion_tokens", 1, kTokensMax);
  if (!limit) limit = reader.integer("max_tokens", 1, kTokensMax);
  if (limit) request.tokens_max = static_cast<int>(*limit);
  request.logprobs = reader.flag("logprobs").value_or(false);
  request.top_logprobs = static_cast<int>(reader.integer("top_logprobs", 0, 20).value_or(0));
  if (request.top_logprobs > 0 && !request.logprobs) {
    reader.fail("needs 'logprobs': true", "top_logprobs");
  }
  read_tools(reader, request);
  read_format(reader, request);
  if (reader.error()) return *reader.error();
  return request;
}

Result<ChatRequest> parse_completion(const Json& body) {
  FieldReader reader(body, "");
  ChatRequest request;
  read_sampling(reader, request);
  request.completion = true;
  const std::vector<std::string> prompts = reader.texts("prompt", 1);
  if (prompts.empty()) {
    reader.fail("must be a string, or a list of one string", "prompt");
  } else {
    request.prefix = clean(reader, prompts[0], "prompt");
    if (request.prefix.empty()) reader.fail("must not be empty", "prompt");
  }
  request.suffix = clean(reader, reader.text("suffix").value_or(""), "suffix");
  request.echo = reader.flag("echo").value_or(false);
  request.tokens_max =
      static_cast<int>(reader.integer("max_tokens", 1, kTokensMax).value_or(16));
  if (auto top = reader.integer("logprobs", 0, 5)) {
    request.logprobs = true;
    request.top_logprobs = static_cast<int>(*top);
  }
  if (auto best = reader.integer("best_of", 1, 20); best && *best > request.n) {
    reader.fail("may not be larger than 'n' here", "best_of", ErrorCode::Unsupported);
  }
  if (reader.error()) return *reader.error();
  return request;
}

}  // namespace tinyarms::openai
