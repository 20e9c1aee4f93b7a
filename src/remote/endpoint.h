// Where a remote engine is, checked before anything is sent there.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tinyarms::remote {

// A secret: cannot be printed, formatted or copied into a message by accident.
class ApiKey {
 public:
  ApiKey() = default;
  explicit ApiKey(std::string value) : value_(std::move(value)) {}

  bool empty() const { return value_.empty(); }
  // For the one header that carries it.
  const std::string& reveal() const { return value_; }

 private:
  std::string value_;
};

enum class Api {
  OpenAi,     // chat completions, as most engines speak them
  Anthropic,  // messages
};

struct Endpoint {
  std::string url;    // of the API's root, "http://127.0.0.1:8080/v1"
  std::string model;  // the name that API knows
  ApiKey key{};       // empty: none is sent
  Api api = Api::OpenAi;
};

// The key in the environment variable `name`; empty for an empty name. Errors: Config (not set,
// or with characters that no header may carry).
Result<ApiKey> key_from_environment(const std::string& name);

// `url` without a trailing slash. Errors: Config: neither http nor https, no host, with a user
// name, a query or a fragment, or a key that would travel over plain http to another machine.
Result<std::string> check_endpoint(const Endpoint& endpoint);

// Whether that host of a URL ("127.0.0.1", "[::1]", "localhost") is this machine, by its spelling
// alone: asking a resolver would already tell others.
bool names_this_machine(std::string_view host);
// Whether that URL's host does.
bool is_on_this_machine(std::string_view url);

// "127.0.0.1:8080" of a URL: what messages call it. Never a user name or a password.
std::string place_of(std::string_view url);
// "https://h/v1" of "https://h/v1/".
std::string without_last_slash(std::string url);
// "/v1" of it.
std::string url_path(std::string_view url);

}  // namespace tinyarms::remote
