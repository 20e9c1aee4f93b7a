#include "openai/api_error.h"

#include <fmt/format.h>

namespace tinyarms::openai {

ApiError of_status(int status, std::string message) {
  ApiError error{.status = status, .message = std::move(message)};
  switch (status) {
    case 401: error.type = "authentication_error"; break;
    case 403: error.type = "permission_error"; break;
    case 404: error.type = "not_found_error"; break;
    case 429: error.type = "rate_limit_error"; break;
    default: error.type = status >= 500 ? "server_error" : "invalid_request_error"; break;
  }
  return error;
}

ApiError api_error(const Error& error) {
  const std::string text = error.hint.empty() ? error.what
                                              : fmt::format("{} ({})", error.what, error.hint);
  const auto with = [&](int status, const char* code) {
    ApiError made = of_status(status, error.where.empty() || status < 500
                                          ? text
                                          : fmt::format("{}: {}", error.where, text));
    if (status < 500) made.param = error.where;
    made.code = code;
    return made;
  };
  switch (error.code) {
    case ErrorCode::InvalidArgument: return with(400, "invalid_value");
    case ErrorCode::ContextTooLong: return with(400, "context_length_exceeded");
    case ErrorCode::Unsupported: return with(400, "unsupported_value");
    case ErrorCode::NotFound: return with(404, "not_found");
    case ErrorCode::OverBudget: return with(503, "over_budget");
    case ErrorCode::Unavailable: return with(503, "unavailable");
    case ErrorCode::Interrupted: return with(503, "interrupted");
    case ErrorCode::Config: return with(500, "configuration");
    case ErrorCode::Io: return with(500, "io");
    case ErrorCode::Corrupt: return with(500, "corrupt");
    case ErrorCode::Internal: return with(500, "internal");
  }
  return with(500, "internal");
}

ApiError bad_request(std::string message, std::string param) {
  return {.status = 400, .message = std::move(message), .param = std::move(param),
          .code = "invalid_value"};
}

ApiError not_found(const std::string& method, const std::string& path) {
  ApiError error = of_status(404, fmt::format("there is no {} {}; /openapi.json lists what there "
                                              "is", method, path));
  error.code = "unknown_url";
  return error;
}

ApiError unknown_model(const std::string& name) {
  ApiError error = of_status(404, fmt::format("The model `{}` does not exist here: GET /v1/models "
                                              "lists those that do", name));
  error.type = "invalid_request_error";
  error.param = "model";
  error.code = "model_not_found";
  return error;
}

ApiError wrong_key(std::string message) {
  ApiError error = of_status(401, std::move(message));
  error.type = "invalid_request_error";
  error.code = "invalid_api_key";
  return error;
}

ApiError busy(std::string message, int retry_after) {
  ApiError error = of_status(429, std::move(message));
  error.code = "rate_limit_exceeded";
  error.retry_after = retry_after;
  return error;
}

nlohmann::ordered_json error_json(const ApiError& error) {
  const auto text = [](const std::string& value) {
    return value.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(value);
  };
  return {{"error",
           {{"message", error.message},
            {"type", error.type},
            {"param", text(error.param)},
            {"code", text(error.code)}}}};
}

}  // namespace tinyarms::openai
