#include "mcp/workshop.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>

namespace tinyarms::mcp {

void or_busy(bool submitted, const std::shared_ptr<ToolCall>& call) {
  if (submitted) return;
  call->finish(ToolResult::failure("this server is at its limit: try again in a few seconds"));
}

Result<std::string> checked_text(std::string text, std::string_view field, size_t bytes_max) {
  const std::string place(field);
  if (text.find_first_not_of(" \t\r\n\v\f") == std::string::npos) {
    return Error{ErrorCode::InvalidArgument, "is empty", place, ""};
  }
  if (text.find('\0') != std::string::npos) {
    return Error{ErrorCode::InvalidArgument, "has a NUL character", place, ""};
  }
  if (text.size() > bytes_max) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("is larger than {} KiB", bytes_max / 1024), place, ""};
  }
  return text;
}

std::string utc_time(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 2e11) return "";
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

OrderedJson schema_of(std::string_view type, std::string_view description) {
  return {{"type", type}, {"description", description}};
}

OrderedJson choice_of(const std::vector<std::string>& choices, std::string_view description) {
  return {{"type", "string"}, {"enum", choices}, {"description", description}};
}

OrderedJson number_of(std::string_view type, double minimum, double maximum,
                      std::string_view description) {
  OrderedJson json = {{"type", type}};
  const auto put = [&](const char* name, double value) {
    if (type == "integer") {
      json[name] = static_cast<int64_t>(value);
    } else {
      json[name] = value;
    }
  };
  put("minimum", minimum);
  put("maximum", maximum);
  json["description"] = description;
  return json;
}

OrderedJson list_of(OrderedJson items, std::string_view description) {
  return {{"type", "array"}, {"items", std::move(items)}, {"description", description}};
}

OrderedJson object_of(OrderedJson properties, const std::vector<std::string>& required) {
  OrderedJson json = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) json["required"] = required;
  return json;
}

OrderedJson or_null(OrderedJson schema) {
  const OrderedJson type = schema["type"];
  schema["type"] = OrderedJson::array({type, "null"});
  return schema;
}

}  // namespace tinyarms::mcp
