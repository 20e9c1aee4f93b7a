// JSON-RPC 2.0 as MCP and LSP speak it: one message taken apart and checked, and what is sent put
// together. Pure: no transport, no method is known here. What comes in is hostile: its size and
// depth are limited before it is parsed, and every failure is an answer that can be sent.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tinyarms::jsonrpc {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;

struct Limits {
  size_t bytes_max = 4 << 20;
  int depth_max = 64;
};

struct Failure {
  int code = kInternalError;
  std::string message{};
  OrderedJson data{};  // null: none
};

struct Message {
  enum class Kind { Request, Notification, Response };
  Kind kind = Kind::Request;
  Json id{};              // a text or a whole number; null of a notification
  std::string method{};   // of a response: empty
  Json params = Json::object();  // an object, or (LSP alone) a list
};

// Exactly one of the two. `id` is the request's where it could be read: a failure is told to it.
struct Parsed {
  std::optional<Message> message{};
  Failure failure{};
  Json id{};
};

// Exactly one JSON value, an object: batches are no part of either protocol.
Parsed parse(std::string_view text, const Limits& limits = {});

// On one line, valid UTF-8 whatever the strings hold, without a newline at the end.
std::string line_of(const OrderedJson& json);

std::string result_text(const Json& id, OrderedJson result);
std::string failure_text(const Json& id, const Failure& failure);
std::string notification_text(std::string_view method, OrderedJson params);

}  // namespace tinyarms::jsonrpc
