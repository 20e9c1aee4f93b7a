#define CURL_DISABLE_TYPECHECK
#include "remote/endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "remote/curl_library.h"

namespace tinyarms::remote {
namespace {

Error wrong(std::string what, const std::string& url, std::string hint) {
  return Error{ErrorCode::Config, std::move(what), url, std::move(hint)};
}

class Url {
 public:
  explicit Url(const CurlLibrary& library)
      : library_(library), handle_(library.url(), library.url_cleanup) {}

  bool read(const std::string& text) {
    return library_.url_set(handle_.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }
  std::string part(CURLUPart which) const {
    char* text = nullptr;
    if (library_.url_get(handle_.get(), which, &text, 0) != CURLUE_OK) return "";
    std::string copy(text);
    library_.free(text);
    return copy;
  }

 private:
  const CurlLibrary& library_;
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> handle_;
};

}  // namespace

Result<ApiKey> key_from_environment(const std::string& name) {
  if (name.empty()) return ApiKey();
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') {
    return Error{ErrorCode::Config, "the variable that should hold the API key is not set", name,
                 fmt::format("export {}=… before starting, or unset l4.api_key_env", name)};
  }
  const std::string key(value);
  if (std::any_of(key.begin(), key.end(), [](unsigned char c) { return c <= ' ' || c > '~'; })) {
    return Error{ErrorCode::Config, "the API key holds a space or a character outside ASCII", name,
                 "set the variable to the key alone"};
  }
  return ApiKey(key);
}

Result<std::string> check_endpoint(const Endpoint& endpoint) {
  auto library = curl_library();
  if (!library) return library.error();
  Url url(**library);
  const std::string& text = endpoint.url;
  // Without this libcurl would take "example.com" for http://example.com.
  if (text.find("://") == std::string::npos || !url.read(text)) {
    return wrong("this is not a web address", text, "write it like http://127.0.0.1:8080/v1");
  }
  const std::string scheme = url.part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return wrong(fmt::format("a remote engine is not reached by {}", scheme), text,
                 "use http or https");
  }
  if (!url.part(CURLUPART_USER).empty() || !url.part(CURLUPART_PASSWORD).empty()) {
    return wrong("the address holds a user name or password", url.part(CURLUPART_HOST),
                 "take it out; a key belongs into the variable that l4.api_key_env names");
  }
  if (!url.part(CURLUPART_QUERY).empty() || !url.part(CURLUPART_FRAGMENT).empty()) {
    return wrong("the address goes on after its path", text, "end it at the path, as in …/v1");
  }
  if (!endpoint.key.empty() && scheme == "http" && !names_this_machine(url.part(CURLUPART_HOST))) {
    return wrong("the API key would cross the network unencrypted", text,
                 "use https, or no key for this engine");
  }
  return without_last_slash(text);
}

// Numbers only where they are numbers: "127.example.com" is anybody's.
bool names_this_machine(std::string_view host) {
  in_addr v4{};
  if (host == "localhost" || host == "[::1]") return true;
  return ::inet_pton(AF_INET, std::string(host).c_str(), &v4) == 1 &&
         (ntohl(v4.s_addr) >> 24) == 127;
}

bool is_on_this_machine(std::string_view url) {
  const std::string place = place_of(url);
  const size_t from = place.starts_with('[') ? place.find(']') : 0;
  return names_this_machine(std::string_view(place).substr(0, place.find(':', from)));
}

std::string without_last_slash(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

std::string place_of(std::string_view url) {
  const size_t start = url.find("://");
  if (start != std::string_view::npos) url.remove_prefix(start + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  const size_t user = url.rfind('@');
  if (user != std::string_view::npos) url.remove_prefix(user + 1);
  return std::string(url);
}

std::string url_path(std::string_view url) {
  const size_t start = url.find("://");
  if (start != std::string_view::npos) url.remove_prefix(start + 3);
  const size_t path = url.find('/');
  return path == std::string_view::npos ? "" : std::string(url.substr(path));
}

}  // namespace tinyarms::remote
