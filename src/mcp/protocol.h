// What the revisions of the Model Context Protocol ask of a message, and where they differ. Two
// eras: up to 2025-11-25 a connection begins with `initialize`; from 2026-07-28 on every request
// says by itself (in params._meta) which revision it speaks. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jsonrpc/message.h"

namespace tinyarms::mcp {

using jsonrpc::Json;
using jsonrpc::OrderedJson;

inline constexpr std::string_view kStateless = "2026-07-28";
inline constexpr std::string_view kNewestHandshake = "2025-11-25";

// Beyond JSON-RPC's own.
inline constexpr int kResourceNotFound = -32002;  // up to 2025-11-25
inline constexpr int kHeaderMismatch = -32020;
inline constexpr int kUnsupportedVersion = -32022;

std::vector<std::string> supported_versions();  // newest first
bool is_handshake_version(std::string_view version);

// Whether the request brings its own revision along.
bool has_envelope(const jsonrpc::Message& message);

// What is wrong with what a stateless request says of itself.
std::optional<jsonrpc::Failure> check_envelope(const Json& params);
jsonrpc::Failure unsupported_version(std::string_view requested);

// The headers that a stateless request repeats itself in, lower case names; nothing where one is
// missing or there twice is told apart by `count`.
struct RoutingHeaders {
  std::optional<std::string_view> version{};
  std::optional<std::string_view> method{};
  std::optional<std::string_view> name{};
  bool repeated = false;
};
std::optional<jsonrpc::Failure> check_headers(const jsonrpc::Message& message,
                                              const RoutingHeaders& headers);

// "=?base64?…?=" undone; nothing where it is damaged.
std::optional<std::string> header_text(std::string_view value);

// The status that an error has over HTTP in the stateless revision; 200 for what is none.
int http_status(int code);

struct ServerInfo {
  std::string name = "tinyarms";
  std::string title = "tinyArms";
  std::string version{};
};
OrderedJson server_info_json(const ServerInfo& info);

// What a stateless result has besides its own fields. `cacheable`: it says for how long it holds.
OrderedJson stateless_result(OrderedJson result, const ServerInfo& info, bool cacheable);

}  // namespace tinyarms::mcp
