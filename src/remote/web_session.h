// Several GETs at once over libcurl, on the calling thread. Each hop of a redirect is checked anew
// (remote/web_rules.h); a token goes to the origin it belongs to and to no other; no cookie, no
// .netrc; certificates are always checked.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/stop_flag.h"
#include "remote/endpoint.h"
#include "remote/http.h"
#include "remote/web_rules.h"

namespace tinyarms::remote {

struct WebRequest {
  std::string url;
  uint64_t begin = 0;
  uint64_t end = 0;      // of the range, exclusive; 0: the whole, without a range
  std::string if_range{};  // an ETag: the range only of that version
  ApiKey token{};
};

// Of the last hop, but for what is said of the file by the first.
struct WebReply {
  int status = 0;
  std::string url{};   // where the redirects led
  std::string etag{};
  std::string linked_etag{};  // Hugging Face's X-Linked-Etag: the SHA-256 of a large file
  std::optional<uint64_t> length{};  // Content-Length
  std::optional<uint64_t> range_begin{};
  std::optional<uint64_t> range_total{};
  double retry_after_seconds = 0;
};

struct WebHandlers {
  // Told of the status once, where it is 200 or 206; false ends the call without an error.
  std::function<bool(const WebReply&)> on_reply;
  std::function<bool(std::string_view)> on_bytes;  // false likewise
  // The end. Errors: Unavailable (unreachable, broken off, silent), Config (an address that is not
  // allowed), Corrupt (too many redirects).
  std::function<void(const WebReply&, const Error*)> on_done;
};

class WebSession {
 public:
  // Errors: Unsupported (no libcurl).
  static Result<std::unique_ptr<WebSession>> create(WebRules rules, HttpLimits limits);
  ~WebSession();
  WebSession(const WebSession&) = delete;
  WebSession& operator=(const WebSession&) = delete;

  // A request whose address is not allowed is done at the next step().
  void start(WebRequest request, WebHandlers handlers);
  // Ends all; their handlers are not called any more.
  void cancel();

  // Moves everything on for at most 50 ms, and tells of what ended. Handlers may start().
  // Errors: Interrupted.
  Result<void> step(const StopFlag& stop);

  class Transfer;

 private:
  WebSession(const struct CurlLibrary& library, WebRules rules, HttpLimits limits);

  const struct CurlLibrary& library_;
  WebRules rules_;
  HttpLimits limits_;
  void* multi_ = nullptr;
  std::list<std::unique_ptr<Transfer>> transfers_;
};

// The whole of a short text. Errors: those above, and by the status: Config (401, 403), NotFound
// (404, 410), Unavailable (429 and 5xx, after three tries), OverBudget (longer than `bytes_max`).
Result<std::string> fetch_text(WebSession& session, const WebRequest& request, size_t bytes_max,
                               const StopFlag& stop);

// What a status other than 200 and 206 means.
Error status_error(const WebReply& reply, const std::string& url);
bool worth_a_retry(const WebReply& reply, const Error* error);
// Sleeps in small steps. Errors: Interrupted.
Result<void> wait_before_retry(double seconds, const StopFlag& stop);

}  // namespace tinyarms::remote
