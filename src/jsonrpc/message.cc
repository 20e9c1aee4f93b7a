#include "jsonrpc/message.h"

#include <fmt/format.h>

#include "base/bracket_depth.h"

namespace tinyarms::jsonrpc {
namespace {

constexpr size_t kMethodBytesMax = 256;
constexpr size_t kIdBytesMax = 256;

bool is_id(const Json& id) {
  if (id.is_string()) return id.get_ref<const std::string&>().size() <= kIdBytesMax;
  return id.is_number_integer();
}

Parsed failed(int code, std::string message, Json id = nullptr) {
  Parsed parsed;
  parsed.failure = {code, std::move(message), nullptr};
  parsed.id = std::move(id);
  return parsed;
}

Parsed take_apart(Json& json) {
  const auto found_id = json.find("id");
  const bool has_id = found_id != json.end();
  const Json id = has_id && is_id(*found_id) ? *found_id : Json(nullptr);
  const auto version = json.find("jsonrpc");
  if (version == json.end() || !version->is_string() || *version != "2.0") {
    return failed(kInvalidRequest, "\"jsonrpc\" must be \"2.0\"", id);
  }
  Parsed parsed;
  parsed.id = id;
  Message& message = parsed.message.emplace();
  const auto method = json.find("method");
  if (method == json.end()) {
    if (!json.contains("result") && !json.contains("error")) {
      return failed(kInvalidRequest, "a message has a method, a result or an error", id);
    }
    message.kind = Message::Kind::Response;
    message.id = id;
    return parsed;
  }
  if (!method->is_string()) return failed(kInvalidRequest, "\"method\" must be a string", id);
  message.method = method->get<std::string>();
  if (message.method.empty() || message.method.size() > kMethodBytesMax) {
    return failed(kInvalidRequest, "\"method\" is empty or too long", id);
  }
  if (has_id && id.is_null()) {
    return failed(kInvalidRequest, "\"id\" must be a string or a whole number");
  }
  message.kind = has_id ? Message::Kind::Request : Message::Kind::Notification;
  message.id = id;
  const auto params = json.find("params");
  if (params == json.end() || params->is_null()) return parsed;
  if (!params->is_structured()) {
    return failed(kInvalidRequest, "\"params\" must be an object or a list", id);
  }
  message.params = std::move(*params);
  return parsed;
}

}  // namespace

Parsed parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes_max) {
    return failed(kInvalidRequest,
                  fmt::format("the message is larger than {} bytes", limits.bytes_max));
  }
  if (bracket_depth(text) > limits.depth_max) {
    return failed(kInvalidRequest,
                  fmt::format("the message nests deeper than {} levels", limits.depth_max));
  }
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return failed(kParseError, "the message is not JSON in UTF-8");
  if (json.is_array()) return failed(kInvalidRequest, "batches are not taken: one message a time");
  if (!json.is_object()) return failed(kInvalidRequest, "the message must be a JSON object");
  return take_apart(json);
}

std::string line_of(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::string result_text(const Json& id, OrderedJson result) {
  OrderedJson json = {{"jsonrpc", "2.0"}, {"id", OrderedJson(id)}};
  json["result"] = std::move(result);
  return line_of(json);
}

std::string failure_text(const Json& id, const Failure& failure) {
  OrderedJson error = {{"code", failure.code}, {"message", failure.message}};
  if (!failure.data.is_null()) error["data"] = failure.data;
  OrderedJson json = {{"jsonrpc", "2.0"}, {"id", OrderedJson(id)}};
  json["error"] = std::move(error);
  return line_of(json);
}

std::string notification_text(std::string_view method, OrderedJson params) {
  OrderedJson json = {{"jsonrpc", "2.0"}, {"method", method}};
  json["params"] = std::move(params);
  return line_of(json);
}

}  // namespace tinyarms::jsonrpc
