#include "mcp/protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/utf8.h"

namespace tinyarms::mcp {
namespace {

constexpr std::array<std::string_view, 2> kHandshakes = {kNewestHandshake, "2025-06-18"};
constexpr const char* kVersionKey = "io.modelcontextprotocol/protocolVersion";
constexpr const char* kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";
constexpr const char* kServerInfoKey = "io.modelcontextprotocol/serverInfo";

const Json* meta_of(const Json& params) {
  if (!params.is_object()) return nullptr;
  const auto found = params.find("_meta");
  return found != params.end() && found->is_object() ? &*found : nullptr;
}

jsonrpc::Failure mismatch(std::string_view header, std::string_view what) {
  return {kHeaderMismatch, fmt::format("the header {} does not match {}", header, what), nullptr};
}

// The parameter that Mcp-Name repeats.
const char* name_field(std::string_view method) {
  if (method == "tools/call" || method == "prompts/get") return "name";
  return method == "resources/read" ? "uri" : nullptr;
}

}  // namespace

std::vector<std::string> supported_versions() {
  std::vector<std::string> versions = {std::string(kStateless)};
  versions.insert(versions.end(), kHandshakes.begin(), kHandshakes.end());
  return versions;
}

bool is_handshake_version(std::string_view version) {
  return std::find(kHandshakes.begin(), kHandshakes.end(), version) != kHandshakes.end();
}

bool has_envelope(const jsonrpc::Message& message) {
  const Json* meta = meta_of(message.params);
  return meta != nullptr && meta->contains(kVersionKey);
}

std::optional<jsonrpc::Failure> check_envelope(const Json& params) {
  const Json* meta = meta_of(params);
  for (const char* key : {kVersionKey, kCapabilitiesKey}) {
    if (meta == nullptr || !meta->contains(key)) {
      return jsonrpc::Failure{jsonrpc::kInvalidParams, fmt::format("params._meta lacks {}", key),
                              nullptr};
    }
  }
  const Json& version = (*meta)[kVersionKey];
  if (!version.is_string() || !(*meta)[kCapabilitiesKey].is_object()) {
    return jsonrpc::Failure{jsonrpc::kInvalidParams,
                            "params._meta: the protocol version must be a string and the client's "
                            "capabilities an object",
                            nullptr};
  }
  if (version != kStateless) return unsupported_version(version.get<std::string>());
  return std::nullopt;
}

jsonrpc::Failure unsupported_version(std::string_view requested) {
  return {kUnsupportedVersion, "Unsupported protocol version",
          {{"supported", supported_versions()}, {"requested", requested}}};
}

std::optional<jsonrpc::Failure> check_headers(const jsonrpc::Message& message,
                                              const RoutingHeaders& headers) {
  if (headers.repeated) {
    return jsonrpc::Failure{kHeaderMismatch, "a routing header is there more than once", nullptr};
  }
  const Json* meta = meta_of(message.params);
  const auto version = meta != nullptr ? meta->find(kVersionKey) : Json::const_iterator();
  if (!headers.version || meta == nullptr || version == meta->end() || !version->is_string() ||
      version->get_ref<const std::string&>() != *headers.version) {
    return mismatch("MCP-Protocol-Version", "the version in params._meta");
  }
  if (headers.method != message.method) return mismatch("Mcp-Method", "the method");
  const char* field = name_field(message.method);
  if (field == nullptr) return std::nullopt;
  const auto named = message.params.find(field);
  if (named == message.params.end() || !named->is_string()) return std::nullopt;
  const auto told = headers.name ? header_text(*headers.name) : std::nullopt;
  if (told != named->get<std::string>()) {
    return mismatch("Mcp-Name", fmt::format("params.{}", field));
  }
  return std::nullopt;
}

std::optional<std::string> header_text(std::string_view value) {
  constexpr std::string_view kBegin = "=?base64?";
  constexpr std::string_view kEnd = "?=";
  if (!value.starts_with(kBegin) || !value.ends_with(kEnd) ||
      value.size() < kBegin.size() + kEnd.size()) {
    return std::string(value);
  }
  value = value.substr(kBegin.size(), value.size() - kBegin.size() - kEnd.size());
  auto text = base64_decode(value);
  if (!text || base64_encode(*text) != value || find_invalid_utf8(*text)) return std::nullopt;
  return std::move(*text);
}

int http_status(int code) {
  switch (code) {
    case jsonrpc::kParseError:
    case jsonrpc::kInvalidRequest:
    case jsonrpc::kInvalidParams:
    case kHeaderMismatch:
    case kUnsupportedVersion: return 400;
    case jsonrpc::kMethodNotFound: return 404;
    default: return 200;
  }
}

OrderedJson server_info_json(const ServerInfo& info) {
  return {{"name", info.name}, {"title", info.title}, {"version", info.version}};
}

OrderedJson stateless_result(OrderedJson result, const ServerInfo& info, bool cacheable) {
  result["resultType"] = "complete";
  if (cacheable) {
    result["ttlMs"] = 0;
    result["cacheScope"] = "private";
  }
  result["_meta"][kServerInfoKey] = server_info_json(info);
  return result;
}

}  // namespace tinyarms::mcp
