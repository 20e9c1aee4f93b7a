// /openapi.json: the routes that there are, each with what a body must at least say.
#include <string_view>

#include "door/routes.h"

namespace tinyarms::door {
namespace {

using openai::OrderedJson;

struct RouteText {
  std::string_view method;
  std::string_view path;
  std::string_view summary;
  std::string_view body = "";  // a JSON schema; empty: none
};

constexpr std::string_view kChat = R"({"type": "object", "required": ["model", "messages"],
  "properties": {
    "model": {"type": "string", "example": "auto"},
    "messages": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    "stream": {"type": "boolean"}, "stream_options": {"type": "object"},
    "max_completion_tokens": {"type": "integer", "minimum": 1},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "n": {"type": "integer", "minimum": 1, "maximum": 16},
    "seed": {"type": "integer"}, "stop": {"type": ["string", "array"]},
    "tools": {"type": "array", "maxItems": 128, "items": {"type": "object"}},
    "tool_choice": {"type": ["string", "object"]}, "parallel_tool_calls": {"type": "boolean"},
    "response_format": {"type": "object"}, "logprobs": {"type": "boolean"},
    "top_logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
    "logit_bias": {"type": "object"},
    "tinyarms": {"$ref": "#/components/schemas/Wishes"}}})";

constexpr std::string_view kCompletion = R"({"type": "object", "required": ["model", "prompt"],
  "properties": {
    "model": {"type": "string", "example": "l2"},
    "prompt": {"type": ["string", "array"]}, "suffix": {"type": "string"},
    "max_tokens": {"type": "integer", "minimum": 1}, "stream": {"type": "boolean"},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "n": {"type": "integer", "minimum": 1, "maximum": 16}, "echo": {"type": "boolean"},
    "logprobs": {"type": "integer", "minimum": 0, "maximum": 5},
    "seed": {"type": "integer"}, "stop": {"type": ["string", "array"]},
    "tinyarms": {"$ref": "#/components/schemas/Wishes"}}})";

constexpr std::string_view kResponses = R"({"type": "object", "required": ["model", "input"],
  "properties": {
    "model": {"type": "string", "example": "auto"},
    "input": {"type": ["string", "array"]}, "instructions": {"type": "string"},
    "stream": {"type": "boolean"},
    "max_output_tokens": {"type": "integer", "minimum": 1},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "tinyarms": {"$ref": "#/components/schemas/Wishes"}}})";

constexpr std::string_view kMessages = R"({"type": "object",
  "required": ["model", "messages", "max_tokens"],
  "properties": {
    "model": {"type": "string", "example": "auto"},
    "messages": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    "max_tokens": {"type": "integer", "minimum": 1},
    "system": {"type": ["string", "array"]}, "stream": {"type": "boolean"},
    "tools": {"type": "array", "maxItems": 128, "items": {"type": "object"}},
    "tool_choice": {"type": "object"}, "stop_sequences": {"type": "array"},
    "temperature": {"type": "number", "minimum": 0, "maximum": 1},
    "tinyarms": {"$ref": "#/components/schemas/Wishes"}}})";

constexpr std::string_view kCount = R"({"type": "object", "required": ["model", "messages"],
  "properties": {
    "model": {"type": "string", "example": "auto"},
    "messages": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    "system": {"type": ["string", "array"]}}})";

constexpr std::string_view kEmbeddings = R"({"type": "object", "required": ["model", "input"],
  "properties": {
    "model": {"type": "string", "example": "auto"},
    "input": {"type": ["string", "array"]},
    "dimensions": {"type": "integer", "minimum": 1},
    "encoding_format": {"enum": ["float", "base64"]},
    "input_type": {"enum": ["query", "document"]}}})";

constexpr std::string_view kRerank = R"({"type": "object", "required": ["query", "documents"],
  "properties": {
    "model": {"type": "string", "example": "auto"}, "query": {"type": "string"},
    "documents": {"type": "array", "minItems": 1},
    "top_n": {"type": "integer", "minimum": 1}, "return_documents": {"type": "boolean"}}})";

constexpr std::string_view kThresholds = R"({"type": "object", "required": ["thresholds"],
  "properties": {"thresholds": {"type": "object", "example": {"l2": 0.4},
    "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1}}}})";

constexpr std::string_view kFeedback = R"({"type": "object", "required": ["id", "good"],
  "properties": {
    "id": {"type": "string", "description": "decision_id of a reply, or its trace_id"},
    "good": {"type": "boolean"}}})";

constexpr std::string_view kMessage = R"({"type": "object", "required": ["jsonrpc"],
  "properties": {
    "jsonrpc": {"const": "2.0"}, "id": {"type": ["string", "integer"]},
    "method": {"type": "string"}, "params": {"type": "object"}}})";

constexpr std::string_view kWishes = R"({"type": "object", "properties": {
    "tier": {"enum": ["l0", "l1", "l2", "l3", "l4"]},
    "max_tier": {"enum": ["l0", "l1", "l2", "l3", "l4"]},
    "confidence_threshold": {"type": "number", "minimum": 0, "maximum": 1},
    "max_seconds": {"type": "number"}, "max_cost": {"type": "number"},
    "trace": {"type": "boolean"}}})";

constexpr RouteText kTexts[] = {
    {"GET", "/v1/models", "What may be named as a model"},
    {"GET", "/v1/models/*", "One of them"},
    {"POST", "/v1/chat/completions", "OpenAI: a conversation", kChat},
    {"POST", "/v1/completions", "OpenAI: a text to go on with, or a gap to fill", kCompletion},
    {"POST", "/v1/responses", "OpenAI: a response", kResponses},
    {"POST", "/v1/messages", "Anthropic: a conversation", kMessages},
    {"POST", "/v1/messages/count_tokens", "Anthropic: how long a conversation is", kCount},
    {"POST", "/v1/embeddings", "OpenAI: vectors of texts", kEmbeddings},
    {"POST", "/v1/rerank", "Jina and Cohere: documents by relevance", kRerank},
    {"POST", "/v2/rerank", "The same, where Cohere's client asks for it", kRerank},
    {"GET", "/v1/tinyarms/stats", "Who answered, how fast, what it saved; ?since=7d"},
    {"GET", "/v1/tinyarms/decisions", "The newest decisions; ?limit=50, ?since=7d"},
    {"GET", "/v1/tinyarms/models", "Models in memory"},
    {"GET", "/v1/tinyarms/stores", "Remembered answers and indexed files, counted"},
    {"POST", "/v1/tinyarms/replay", "Other thresholds on what was decided", kThresholds},
    {"POST", "/v1/tinyarms/feedback", "How an answer turned out", kFeedback},
    {"POST", "/mcp", "The Model Context Protocol: one message", kMessage},
    {"DELETE", "/mcp", "The end of its session"},
    {"GET", "/", "The page"},
    {"GET", "/page/*", "Its files"},
    {"GET", "/health", "Whether it is alive"},
    {"GET", "/ready", "The queue"},
    {"GET", "/metrics", "Counters for Prometheus"},
    {"GET", "/openapi.json", "This document"},
};

OrderedJson operation(const Route& route) {
  OrderedJson json = {{"summary", ""},
                      {"responses", {{"200", {{"description", "the answer"}}},
                                     {"default", {{"description", "an error, in the shape of the "
                                                                  "API asked"}}}}}};
  if (route.scope != Scope::Open) {
    json["security"] = OrderedJson::array({{{"key", OrderedJson::array()}},
                                           OrderedJson::object()});
  }
  for (const RouteText& text : kTexts) {
    if (text.method != route.method || text.path != route.path) continue;
    json["summary"] = text.summary;
    if (text.body.empty()) continue;
    json["requestBody"] = {
        {"required", true},
        {"content", {{"application/json", {{"schema", OrderedJson::parse(text.body)}}}}}};
  }
  return json;
}

OrderedJson document(const Door& door, const std::string& version) {
  OrderedJson paths = OrderedJson::object();
  for (const Route& route : door.routes()) {
    if (route.scope == Scope::Own) continue;  // between parts of this program
    std::string method = route.method;
    for (char& c : method) c = static_cast<char>(c + ('a' - 'A'));
    OrderedJson json = operation(route);
    std::string path = route.path;
    if (path.ends_with("/*")) {
      path.replace(path.size() - 1, 1, "{name}");
      json["parameters"] = OrderedJson::array({{{"name", "name"},
                                                {"in", "path"},
                                                {"required", true},
                                                {"schema", {{"type", "string"}}}}});
    }
    paths[path][method] = std::move(json);
  }
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "tinyArms"}, {"version", version}}},
          {"paths", std::move(paths)},
          {"components",
           {{"securitySchemes", {{"key", {{"type", "http"}, {"scheme", "bearer"}}}}},
            {"schemas", {{"Wishes", OrderedJson::parse(kWishes)}}}}}};
}

}  // namespace

void add_openapi_route(Door& door, const std::string& version) {
  const auto text = std::make_shared<std::string>();
  door.add({"GET", "/openapi.json", Scope::Open, [text](const Call& call) {
              call.send(http::Response{200, "application/json", *text});
            }});
  *text = openai::text_of(document(door, version));
}

}  // namespace tinyarms::door
