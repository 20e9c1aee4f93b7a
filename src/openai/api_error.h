// An error as OpenAI's clients expect it: a status they turn into an exception type, and
// {"error": {"message", "type", "param", "code"}}. The one place where an Error becomes HTTP.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/error.h"

namespace tinyarms::openai {

struct ApiError {
  int status = 400;
  std::string message;
  std::string type = "invalid_request_error";
  std::string param = {};
  std::string code = {};
  std::optional<int> retry_after = {};  // seconds, where the same request may work later
};

// `where` of an error about a request names the field.
ApiError api_error(const Error& error);

ApiError bad_request(std::string message, std::string param = {});
ApiError not_found(const std::string& method, const std::string& path);
ApiError unknown_model(const std::string& name);
ApiError wrong_key(std::string message);
ApiError busy(std::string message, int retry_after);

// For an error that is only a status: 404, 405, 413, …
ApiError of_status(int status, std::string message);

nlohmann::ordered_json error_json(const ApiError& error);

}  // namespace tinyarms::openai
