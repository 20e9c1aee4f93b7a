#include "door/ordering.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/schema_rules.h"
#include "schema/json_schema.h"

namespace tinyarms::door {
namespace {

using openai::ApiError;

constexpr size_t kToolsBytesMax = 256 << 10;  // names, descriptions and schemas together
constexpr double kSmallestTopP = 1e-6;        // 0 means as little as there is

cascade::Role role_of(const std::string& name) {
  if (name == "system") return cascade::Role::System;
  if (name == "assistant") return cascade::Role::Assistant;
  return name == "tool" ? cascade::Role::Tool : cascade::Role::User;
}

cascade::ToolChoice choice_of(openai::ToolChoice choice) {
  switch (choice) {
    case openai::ToolChoice::Auto: return cascade::ToolChoice::Auto;
    case openai::ToolChoice::None: return cascade::ToolChoice::None;
    case openai::ToolChoice::Required: return cascade::ToolChoice::Required;
    case openai::ToolChoice::Named: return cascade::ToolChoice::Named;
  }
  return cascade::ToolChoice::Auto;
}

std::optional<ApiError> check_schema(const std::string& schema, const std::string& field) {
  Result<void> good = schema::check_schema(schema);
  if (good) good = engine::check_schema_rules(schema::constrainable(schema));
  if (good) return std::nullopt;
  const Error& error = good.error();
  ApiError made = openai::bad_request(
      fmt::format("Invalid schema in '{}'{}{}: {}", field, error.where.empty() ? "" : " at ",
                  error.where, error.what),
      field);
  made.code = "invalid_schema";
  return made;
}

std::optional<ApiError> take_tools(const openai::ChatRequest& request, cascade::Order& order) {
  if (request.tool_choice == openai::ToolChoice::None) return std::nullopt;
  size_t bytes = 0;
  for (const openai::Tool& tool : request.tools) {
    bytes += tool.name.size() + tool.description.size() + tool.parameters.size();
  }
  if (bytes > kToolsBytesMax) {
    return openai::bad_request(
        fmt::format("the tools have {} bytes, at most {} are taken", bytes, kToolsBytesMax),
        "tools");
  }
  for (const openai::Tool& tool : request.tools) {
    if (auto wrong = check_schema(tool.parameters, tool.place)) return wrong;
    if (std::any_of(order.tools.begin(), order.tools.end(),
                    [&](const auto& other) { return other.name == tool.name; })) {
      return openai::bad_request(fmt::format("there are two tools '{}'", tool.name), "tools");
    }
    order.tools.push_back({tool.name, tool.description, tool.parameters});
  }
  order.tool_choice = choice_of(request.tool_choice);
  order.tool_named = request.tool_named;
  order.parallel_tool_calls = request.parallel_tool_calls;
  return std::nullopt;
}

std::optional<ApiError> take_format(const openai::ChatRequest& request, cascade::Order& order) {
  switch (request.format) {
    case openai::Format::Text: return std::nullopt;
    case openai::Format::JsonObject: order.json_schema = R"({"type":"object"})"; break;
    case openai::Format::JsonSchema:
      if (auto wrong = check_schema(request.schema, request.schema_place)) return wrong;
      order.json_schema = request.schema;
      break;
  }
  return std::nullopt;
}

void take_messages(const openai::ChatRequest& request, cascade::Request& climb) {
  for (const openai::ChatMessage& message : request.messages) {
    cascade::Message each{.role = role_of(message.role), .content = message.content};
    for (const openai::ToolCall& call : message.tool_calls) {
      each.tool_calls.push_back({call.id, call.name, call.arguments});
    }
    each.tool_call_id = message.tool_call_id;
    // What was called and came of it is no question that rules or memory know.
    if (each.role == cascade::Role::Tool || !each.tool_calls.empty()) climb.made_to_order = true;
    climb.messages.push_back(std::move(each));
  }
}

void take_sampling(const openai::ChatRequest& request, cascade::Sampling& sampling) {
  if (request.temperature) sampling.temperature = *request.temperature;
  if (request.seed) sampling.seed = *request.seed;
  if (request.tokens_max) sampling.tokens_max = *request.tokens_max;
  if (!request.stop.empty()) sampling.stop = request.stop;
  if (request.top_p) sampling.top_p = std::max(*request.top_p, kSmallestTopP);
  if (request.top_k) sampling.top_k = *request.top_k;
  sampling.logit_bias = request.logit_bias;
  sampling.frequency_penalty = request.frequency_penalty;
  sampling.presence_penalty = request.presence_penalty;
}

}  // namespace

std::optional<ApiError> to_order(const openai::ChatRequest& request, cascade::Request& climb) {
  take_sampling(request, climb.sampling);
  take_messages(request, climb);
  if (auto wrong = take_tools(request, climb.order)) return wrong;
  if (auto wrong = take_format(request, climb.order)) return wrong;
  if (request.logprobs) climb.order.top_logprobs = request.top_logprobs;
  if (request.completion) {
    climb.prefix = request.prefix;
    if (!request.suffix.empty()) climb.suffix = request.suffix;
  }
  climb.made_to_order = climb.made_to_order || climb.prefix || climb.order.may_call() ||
                        climb.order.top_logprobs || !climb.order.json_schema.empty();
  return std::nullopt;
}

}  // namespace tinyarms::door
