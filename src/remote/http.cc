#define CURL_DISABLE_TYPECHECK
#include "remote/http.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "remote/curl_library.h"
#include "remote/endpoint.h"
#include "remote/http_connections.h"

namespace tinyarms::remote {
namespace {

constexpr int kPollMs = 50;
// How long the end of a reply is waited for, whose content is complete ("[DONE]" came): only then
// can the connection be kept.
constexpr std::chrono::milliseconds kEndWait(20);
constexpr long kRedirectsMax = 5;

struct HttpExchange {
  HttpCall call;
  bool post = true;
  size_t offset = 0;
  bool follow = true;
};

class Transfer {
 public:
  Transfer(const CurlLibrary& library, const HttpExchange& exchange, const HttpLimits& limits,
           const HttpSink& sink, HttpConnections* kept)
      : library_(library), exchange_(exchange), limits_(limits), sink_(sink), kept_(kept) {}
  ~Transfer() {
    if (multi_ != nullptr && easy_ != nullptr) library_.multi_remove_handle(multi_, easy_);
    if (easy_ != nullptr) library_.easy_cleanup(easy_);
    if (whole_ && kept_ != nullptr) {
      kept_->give_back(library_, multi_);
    } else if (multi_ != nullptr) {
      library_.multi_cleanup(multi_);
    }
    if (headers_ != nullptr) library_.slist_free_all(headers_);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Result<HttpReply> run(const StopFlag& stop) {
    easy_ = library_.easy_init();
    if (kept_ != nullptr) multi_ = kept_->take();
    if (multi_ == nullptr) multi_ = library_.multi_init();
    if (easy_ == nullptr || multi_ == nullptr || !prepare()) {
      return failure(ErrorCode::Internal, "libcurl cannot make a call", "");
    }
    library_.multi_add_handle(multi_, easy_);
    const Clock::time_point began = last_byte_ = Clock::now();
    while (true) {
      int running = 0;
      library_.multi_perform(multi_, &running);
      if (running == 0 || (had_enough_ && Clock::now() > enough_at_ + kEndWait)) return finish();
      if (stop.raised()) return failure(ErrorCode::Interrupted, "stopped", "");
      const std::chrono::duration<double> silent = Clock::now() - last_byte_;
      if (silent.count() > limits_.idle_seconds) {
        return failure(ErrorCode::Unavailable,
                       fmt::format("no byte came for {:.0f} s", limits_.idle_seconds),
                       "is the engine busy or stuck?");
      }
      const std::chrono::duration<double> spent = Clock::now() - began;
      if (spent.count() > limits_.total_seconds) {
        return failure(ErrorCode::Unavailable,
                       fmt::format("not done within {:.0f} s", limits_.total_seconds), "");
      }
      const int wait_ms = had_enough_ ? static_cast<int>(kEndWait.count()) : kPollMs;
      library_.multi_poll(multi_, nullptr, 0, wait_ms, nullptr);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  template <typename Value>
  bool set(CURLoption option, Value value) {
    return library_.easy_setopt(easy_, option, value) == CURLE_OK;
  }

  bool prepare() {
    // Without "Expect", which makes libcurl wait a second for servers that do not know it.
    headers_ = library_.slist_append(headers_, "Expect:");
    for (const std::string& header : exchange_.call.headers) {
      headers_ = library_.slist_append(headers_, header.c_str());
    }
    return headers_ != nullptr && set(CURLOPT_URL, exchange_.call.url.c_str()) &&
           set(CURLOPT_PROTOCOLS_STR, "http,https") && prepare_method() &&
           set(CURLOPT_NOSIGNAL, 1L) && set(CURLOPT_HTTPHEADER, headers_) &&
           set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect_seconds * 1000)) &&
           set(CURLOPT_WRITEDATA, this) && set(CURLOPT_WRITEFUNCTION, &Transfer::write) &&
           set(CURLOPT_TCP_NODELAY, 1L) && set(CURLOPT_ERRORBUFFER, words_) &&
           (!exchange_.call.direct || set(CURLOPT_PROXY, ""));
  }

  bool prepare_method() {
    if (!exchange_.post) {
      const bool secure = exchange_.call.url.rfind("https", 0) == 0;
      return set(CURLOPT_HTTPGET, 1L) && set(CURLOPT_FOLLOWLOCATION, exchange_.follow ? 1L : 0L) &&
             set(CURLOPT_MAXREDIRS, kRedirectsMax) &&
             set(CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https") &&
             set(CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(exchange_.offset));
    }
    const std::string& body = exchange_.call.body;
    return set(CURLOPT_FOLLOWLOCATION, 0L) && set(CURLOPT_POST, 1L) &&
           set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size())) &&
           set(CURLOPT_POSTFIELDS, body.data());
  }

  static size_t write(char* bytes, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    return transfer.take({bytes, size * count}) ? size * count : 0;
  }

  bool take(std::string_view bytes) {
    last_byte_ = Clock::now();
    tell_reply();
    received_ += bytes.size();
    if (received_ > limits_.bytes_max) return false;
    if (had_enough_ || sink_.on_bytes(bytes)) return true;
    had_enough_ = true;
    enough_at_ = last_byte_;
    return kept_ != nullptr;  // its end is still waited for
  }

  void tell_reply() {
    if (reply_.status != 0) return;
    long status = 0;
    library_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    const char* type = nullptr;
    library_.easy_getinfo(easy_, CURLINFO_CONTENT_TYPE, &type);
    curl_off_t wait = 0;
    library_.easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &wait);
    reply_ = {static_cast<int>(status), type == nullptr ? "" : type, static_cast<double>(wait)};
    sink_.on_reply(reply_);
  }

  Result<HttpReply> finish() {
    int left = 0;
    const CURLMsg* message = library_.multi_info_read(multi_, &left);
    const CURLcode code = message == nullptr ? CURLE_GOT_NOTHING : message->data.result;
    whole_ = code == CURLE_OK;
    if (code == CURLE_OK || had_enough_) {
      tell_reply();  // of a reply without a body
      return reply_;
    }
    if (received_ > limits_.bytes_max) {
      return failure(ErrorCode::OverBudget,
                     fmt::format("the reply is longer than {} bytes", limits_.bytes_max),
                     exchange_.post ? "is this address an OpenAI-compatible API?"
                                    : "is this the address of that file?");
    }
    if (code == CURLE_RANGE_ERROR) {
      return failure(ErrorCode::Unsupported, "the server sends whole files only", "");
    }
    const char* words = words_[0] != '\0' ? words_ : library_.easy_strerror(code);
    return failure(ErrorCode::Unavailable, words,
                   exchange_.post ? "is the engine running, and the address right?"
                                  : "is the network up, and the address right?");
  }

  Error failure(ErrorCode code, std::string what, std::string hint) const {
    return Error{code, std::move(what), place_of(exchange_.call.url), std::move(hint)};
  }

  const CurlLibrary& library_;
  const HttpExchange& exchange_;
  const HttpLimits& limits_;
  const HttpSink& sink_;
  HttpConnections* kept_;
  CURL* easy_ = nullptr;
  CURLM* multi_ = nullptr;
  curl_slist* headers_ = nullptr;
  HttpReply reply_;
  size_t received_ = 0;
  bool had_enough_ = false;
  Clock::time_point enough_at_;
  bool whole_ = false;  // the reply, to its last byte
  Clock::time_point last_byte_;
  char words_[CURL_ERROR_SIZE] = {};
};

}  // namespace

Result<HttpReply> post(const HttpCall& call, const HttpLimits& limits, const StopFlag& stop,
                       const HttpSink& sink, HttpConnections* connections) {
  auto library = curl_library();
  if (!library) return library.error();
  const HttpExchange exchange{.call = call};
  return Transfer(**library, exchange, limits, sink, connections).run(stop);
}

Result<HttpReply> get(const HttpFetch& fetch, const HttpLimits& limits, const StopFlag& stop,
                      const HttpSink& sink) {
  auto library = curl_library();
  if (!library) return library.error();
  const HttpExchange exchange{.call = {.url = fetch.url, .headers = {}, .body = {}},
                              .post = false,
                              .offset = fetch.offset,
                              .follow = fetch.follow_redirects};
  return Transfer(**library, exchange, limits, sink, nullptr).run(stop);
}

}  // namespace tinyarms::remote
