#include "engine/plain_tools.h"

#include <fmt/format.h>
#include <json-schema-to-grammar.h>

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>

#include "engine/chat_template.h"

namespace tinyarms::engine {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kOpenCall = "<tool_call>";
constexpr std::string_view kCloseCall = "</tool_call>";
constexpr std::string_view kCloseResult = "</tool_response>";
constexpr std::string_view kZeroWidth = "\xE2\x80\x8B";
constexpr std::string_view kBlank = " \t\n\r";
constexpr int kCallsMax = 16;

std::string json_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What is no JSON stands as the text that it is.
Json parsed_or_text(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json(text) : json;
}

std::string told_of_tools(const ChatOptions& options) {
  std::string text =
      "You may call functions. These are there, with the schemas of their arguments:\n<tools>\n";
  for (const ToolSpec& tool : options.tools) {
    Json json = {{"name", tool.name}};
    if (!tool.description.empty()) json["description"] = tool.description;
    json["parameters"] = parsed_or_text(tool.parameters.empty() ? "{}" : tool.parameters);
    text += json_text(json) + "\n";
  }
  return text +
         "</tools>\nTo call one, write its name and arguments:\n"
         "<tool_call>\n{\"name\": …, \"arguments\": {…}}\n</tool_call>";
}

std::string written_call(const ToolCall& call) {
  return fmt::format("{}\n{{\"name\": {}, \"arguments\": {}}}\n{}", kOpenCall,
                     json_text(Json(call.name)),
                     json_text(parsed_or_text(call.arguments.empty() ? "{}" : call.arguments)),
                     kCloseCall);
}

// A result that holds the mark of its own end would go on as if the user spoke.
std::string written_result(const std::string& content) {
  std::string text = content;
  for (size_t at = 0; (at = text.find(kCloseResult, at)) != std::string::npos;) {
    text.insert(at + 1, kZeroWidth);
    at += kCloseResult.size();
  }
  return fmt::format("<tool_response>\n{}\n{}", text, kCloseResult);
}

// References inside of a schema that stands at `place` in a larger one.
void move_references(Json& schema, const std::string& place) {
  if (schema.is_array()) {
    for (Json& each : schema) move_references(each, place);
  }
  if (!schema.is_object()) return;
  for (auto& [name, value] : schema.items()) {
    if (name == "$ref" && value.is_string() && value.get<std::string>().starts_with('#')) {
      value = "#/$defs/" + place + value.get<std::string>().substr(1);
    } else {
      move_references(value, place);
    }
  }
}

// In one document, so that what two tools define under one name stays two things.
struct CallSchemas {
  Json definitions = Json::object();
  Json calls = Json::array();

  void add(const ToolSpec& tool) {
    const std::string place = fmt::format("t{}", calls.size());
    define(place, tool.parameters);
    // A tool that says nothing of its arguments takes an object all the same.
    Json& schema = definitions[place];
    const bool says = schema.contains("type") || schema.contains("$ref") ||
                      schema.contains("anyOf") || schema.contains("oneOf") ||
                      schema.contains("allOf");
    if (!says) schema["type"] = "object";
    calls.push_back({{"type", "object"},
                     {"properties",
                      {{"name", {{"const", tool.name}}},
                       {"arguments", {{"$ref", "#/$defs/" + place}}}}},
                     {"required", {"name", "arguments"}},
                     {"additionalProperties", false}});
  }

  void define(const std::string& place, const std::string& schema) {
    Json json = Json::parse(schema.empty() ? "{}" : schema);
    if (!json.is_object()) json = Json::object();
    move_references(json, place);
    definitions[place] = std::move(json);
  }

  common_chat_schema_document document(Json root) const {
    root["$defs"] = definitions;
    return common_chat_schema_from_json(common_json::parse(json_text(root)));
  }
};

std::string grammar_text(const ChatOptions& options) {
  CallSchemas schemas;
  for (const ToolSpec& tool : options.tools) schemas.add(tool);
  const bool answers = options.tool_choice == ToolChoice::Auto && !options.json_schema.empty();
  if (answers) schemas.define("answer", options.json_schema);
  // Both outlive the builder, which refers to their nodes.
  const auto calls = schemas.document({{"anyOf", schemas.calls}});
  common_chat_schema_document answer;
  if (answers) answer = schemas.document({{"$ref", "#/$defs/answer"}});
  return build_grammar([&](const common_grammar_builder& builder) {
    const std::string call = builder.add_schema("call", *calls.root);
    const std::string one = builder.add_rule(
        "one-call", fmt::format("{} {} {}", gbnf_format_literal(std::string(kOpenCall) + "\n"),
                                call, gbnf_format_literal("\n" + std::string(kCloseCall))));
    std::string root = one;
    if (options.parallel_tool_calls) {
      root += fmt::format(" (\"\\n\" {}){{0,{}}}", one, kCallsMax - 1);
    }
    if (answers) root = fmt::format("{} | {}", root, builder.add_schema("answer", *answer.root));
    builder.add_rule("root", root);
  });
}

// Reads the beginning of a call as far as it goes.
class CallReader {
 public:
  explicit CallReader(std::string_view text) : text_(text) {}

  // False where no name has come yet.
  bool read(ToolCall& call) {
    if (!skip('{') || !key("name") || !string(call.name)) return false;
    if (!skip(',') || !key("arguments")) return true;
    blanks();
    call.arguments = value();
    return true;
  }

 private:
  void blanks() {
    while (at_ < text_.size() && kBlank.find(text_[at_]) != std::string_view::npos) ++at_;
  }

  bool skip(char wanted) {
    blanks();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  bool key(std::string_view wanted) {
    std::string name;
    return string(name) && name == wanted && skip(':');
  }

  bool string(std::string& into) {
    blanks();
    const size_t begin = at_;
    if (!skip('"')) return false;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) return false;
    ++at_;
    const Json json = Json::parse(text_.substr(begin, at_ - begin), nullptr, false);
    if (!json.is_string()) return false;
    into = json.get<std::string>();
    return true;
  }

  // One value, or what there is of it.
  std::string value() const {
    int depth = 0;
    bool quoted = false;
    for (size_t at = at_; at < text_.size(); ++at) {
      const char c = text_[at];
      if (quoted) {
        if (c == '\\') ++at;
        if (c == '"') quoted = false;
        continue;
      }
      if (c == '"') quoted = true;
      if (c == '{' || c == '[') ++depth;
      if (c != '}' && c != ']') continue;
      if (depth-- == 0) return std::string(text_.substr(at_, at - at_));  // of the call itself
      if (depth == 0) return std::string(text_.substr(at_, at + 1 - at_));
    }
    return std::string(text_.substr(at_));
  }

  std::string_view text_;
  size_t at_ = 0;
};

// Without what may yet turn out to begin a call, and without the blanks before it.
std::string_view certain_content(std::string_view text) {
  for (size_t length = std::min(text.size(), kOpenCall.size() - 1); length > 0; --length) {
    if (!kOpenCall.starts_with(text.substr(text.size() - length))) continue;
    text.remove_suffix(length);
    break;
  }
  return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

// Brackets inside of strings are no ends: a string may hold "</tool_call>".
size_t end_of_call(std::string_view text, size_t from) {
  bool quoted = false;
  for (size_t at = from; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (!quoted && text.substr(at).starts_with(kCloseCall)) {
      return at;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::vector<ChatMessage> with_plain_tools(std::span<const ChatMessage> messages,
                                          const ChatOptions& options) {
  std::vector<ChatMessage> plain;
  if (!options.tools.empty()) plain.push_back({"system", told_of_tools(options)});
  bool after_result = false;
  for (const ChatMessage& message : messages) {
    const bool told = !options.tools.empty() && plain.size() == 1 && message.role == "system";
    const bool result = message.role == "tool";
    if (told) {
      plain.front().content = message.content + "\n\n" + plain.front().content;
    } else if (result || (after_result && message.role == "user")) {
      const std::string text = result ? written_result(message.content) : message.content;
      if (after_result) {
        plain.back().content += "\n" + text;
      } else {
        plain.push_back({"user", text});
      }
    } else {
      std::string text = message.content;
      for (const ToolCall& call : message.tool_calls) {
        text += (text.empty() ? "" : "\n") + written_call(call);
      }
      plain.push_back({message.role, std::move(text)});
    }
    after_result = result;
  }
  return plain;
}

Result<AnswerForm> plain_tools_form(const ChatOptions& options) {
  AnswerForm form;
  if (options.tools.empty()) return form;
  form.structured = true;
  form.format = kPlainToolsFormat;
  try {
    form.grammar = grammar_text(options);
  } catch (const std::exception& problem) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("the tools' schemas cannot be used: {}", problem.what()), "",
                 "simplify the schemas"};
  }
  form.lazy = options.tool_choice == ToolChoice::Auto && options.json_schema.empty();
  if (form.lazy) form.trigger_patterns.emplace_back(kOpenCall);
  return form;
}

ParsedAnswer parse_plain_tools(std::string_view text, bool partial) {
  ParsedAnswer answer;
  size_t open = text.find(kOpenCall);
  const std::string_view before = text.substr(0, open);
  if (open == std::string_view::npos) {
    answer.content = partial ? certain_content(before) : before;
    return answer;
  }
  answer.content = before.substr(0, before.find_last_not_of(kBlank) + 1);
  while (open != std::string_view::npos) {
    const size_t begin = open + kOpenCall.size();
    const size_t end = end_of_call(text, begin);
    const std::string_view body =
        text.substr(begin, end == std::string_view::npos ? end : end - begin);
    ToolCall call;
    if (CallReader(body).read(call)) answer.tool_calls.push_back(std::move(call));
    open = end == std::string_view::npos ? end : text.find(kOpenCall, end);
  }
  return answer;
}

}  // namespace tinyarms::engine
