#define CURL_DISABLE_TYPECHECK
#include "remote/web_session.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "remote/curl_library.h"

namespace tinyarms::remote {
namespace {

constexpr int kWebPollMs = 50;
constexpr int kHopsMax = 6;
constexpr int kTextTries = 3;
constexpr double kHubRetryAfterMax = 120;
constexpr size_t kIgnoredMax = 64 << 10;

using WebClock = std::chrono::steady_clock;

std::optional<uint64_t> header_number(std::string_view text) {
  uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trimmed_header(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// "bytes 0-99/1234"
void read_content_range(std::string_view value, WebReply& reply) {
  constexpr std::string_view kUnit = "bytes ";
  if (!value.starts_with(kUnit)) return;
  value.remove_prefix(kUnit.size());
  const size_t dash = value.find('-');
  const size_t slash = value.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) return;
  reply.range_begin = header_number(value.substr(0, dash));
  reply.range_total = header_number(value.substr(slash + 1));
}

// A proxy that the user's environment names is where the connection goes, by design.
bool uses_proxy() {
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return true;
  }
  return false;
}

}  // namespace

class WebSession::Transfer {
 public:
  Transfer(const CurlLibrary& library, CURLM* multi, const WebRules& rules,
           const HttpLimits& limits, WebRequest request, WebHandlers handlers)
      : library_(library), multi_(multi), rules_(rules), limits_(limits),
        request_(std::move(request)), handlers_(std::move(handlers)) {}
  ~Transfer() { drop(); }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void begin() {
    auto address = check_web_address(request_.url, rules_);
    if (!address) return fail(address.error());
    token_origin_ = address->origin;
    go(std::move(*address));
  }

  bool owns(const CURL* easy) const { return easy_ == easy; }
  bool done() const { return done_; }

  void check_silence() {
    const std::chrono::duration<double> silent = WebClock::now() - last_byte_;
    if (done_ || silent.count() <= limits_.idle_seconds) return;
    fail(Error{ErrorCode::Unavailable,
               fmt::format("no byte came for {:.0f} s", limits_.idle_seconds), address_.host,
               "try again: what came is kept"});
  }

  void ended(CURLcode code) {
    if (done_) return;
    if (const char* next = redirect(); next != nullptr) return follow(next);
    if (code == CURLE_OK || had_enough_) {
      tell_reply();
      return finish();
    }
    const char* words = words_[0] != '\0' ? words_ : library_.easy_strerror(code);
    if (refused_address_) {
      return fail(Error{ErrorCode::Config,
                        "it is found at an address where it may not be: this machine or the local "
                        "network", address_.host,
                        "name that very host in the setting pull.hosts, if you trust it"});
    }
    fail(Error{ErrorCode::Unavailable, words, address_.host,
               "is the network up, and the address right?"});
  }

  // Called once, when done() is true.
  void tell() {
    if (handlers_.on_done) handlers_.on_done(reply_, error_ ? &*error_ : nullptr);
  }

 private:
  template <typename Value>
  bool set(CURLoption option, Value value) {
    return library_.easy_setopt(easy_, option, value) == CURLE_OK;
  }

  void drop() {
    if (easy_ == nullptr) return;
    library_.multi_remove_handle(multi_, easy_);
    library_.easy_cleanup(easy_);
    easy_ = nullptr;
    library_.slist_free_all(headers_);
    headers_ = nullptr;
  }

  void fail(Error error) {
    error_ = std::move(error);
    finish();
  }
  void finish() {
    done_ = true;
    drop();
  }

  void go(WebAddress address) {
    drop();
    address_ = std::move(address);
    WebReply fresh;
    fresh.linked_etag = reply_.linked_etag;
    reply_ = std::move(fresh);
    reply_.url = address_.url;
    last_byte_ = WebClock::now();
    easy_ = library_.easy_init();
    if (easy_ == nullptr || !prepare() ||
        library_.multi_add_handle(multi_, easy_) != CURLM_OK) {
      fail(Error{ErrorCode::Internal, "libcurl cannot make a call", address_.host, ""});
    }
  }

  bool add_header(const std::string& line) {
    headers_ = library_.slist_append(headers_, line.c_str());
    return headers_ != nullptr;
  }

  bool prepare() {
    bool sound = add_header("Accept: */*");
    if (!request_.token.empty() && address_.origin == token_origin_) {
      sound = sound && add_header("Authorization: Bearer " + request_.token.reveal());
    }
    if (request_.end != 0 && !request_.if_range.empty()) {
      sound = sound && add_header("If-Range: " + request_.if_range);
    }
    const std::string range = fmt::format("{}-{}", request_.begin, request_.end - 1);
    if (request_.end != 0) sound = sound && set(CURLOPT_RANGE, range.c_str());
    return sound && set(CURLOPT_URL, address_.url.c_str()) &&
           set(CURLOPT_PROTOCOLS_STR, address_.this_machine ? "http,https" : "https") &&
           set(CURLOPT_FOLLOWLOCATION, 0L) && set(CURLOPT_HTTPGET, 1L) &&
           set(CURLOPT_NOSIGNAL, 1L) && set(CURLOPT_HTTPHEADER, headers_) &&
           set(CURLOPT_USERAGENT, "tinyarms") &&
           set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect_seconds * 1000)) &&
           set(CURLOPT_WRITEDATA, this) && set(CURLOPT_WRITEFUNCTION, &Transfer::write) &&
           set(CURLOPT_HEADERDATA, this) && set(CURLOPT_HEADERFUNCTION, &Transfer::header) &&
           set(CURLOPT_OPENSOCKETDATA, this) &&
           set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_socket) &&
           set(CURLOPT_ERRORBUFFER, words_);
  }

  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* peer) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (!uses_proxy() && !may_connect(transfer.address_, &peer->addr)) {
      transfer.refused_address_ = true;
      return CURL_SOCKET_BAD;
    }
    return ::socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
  }

  static size_t header(char* bytes, size_t size, size_t count, void* self) {
    static_cast<Transfer*>(self)->take_header({bytes, size * count});
    return size * count;
  }
  static size_t write(char* bytes, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    return transfer.take({bytes, size * count}) ? size * count : 0;
  }

  void take_header(std::string_view line) {
    last_byte_ = WebClock::now();
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string name(line.substr(0, colon));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const std::string_view value = trimmed_header(line.substr(colon + 1));
    if (name == "etag") reply_.etag = value.substr(0, 200);
    if (name == "x-linked-etag") reply_.linked_etag = value.substr(0, 200);
    if (name == "content-length") reply_.length = header_number(value);
    if (name == "content-range") read_content_range(value, reply_);
  }

  bool take(std::string_view bytes) {
    last_byte_ = WebClock::now();
    const bool redirected = redirect() != nullptr;
    if (!redirected && !tell_reply()) return false;
    if (redirected || (reply_.status != 200 && reply_.status != 206)) {
      // The words of a redirect or an error are of no interest, a stream of them least of all.
      ignored_ += bytes.size();
      had_enough_ = !redirected && ignored_ > kIgnoredMax;
      return ignored_ <= kIgnoredMax;
    }
    if (handlers_.on_bytes && handlers_.on_bytes(bytes)) return true;
    had_enough_ = true;
    return false;
  }

  bool tell_reply() {
    if (reply_.status != 0) return !had_enough_;
    long status = 0;
    library_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    curl_off_t wait = 0;
    library_.easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &wait);
    reply_.status = static_cast<int>(status);
    reply_.retry_after_seconds = std::min(static_cast<double>(wait), kHubRetryAfterMax);
    const bool file = status == 200 || status == 206;
    if (file && handlers_.on_reply && !handlers_.on_reply(reply_)) had_enough_ = true;
    return !had_enough_;
  }

  // Where this hop leads to, resolved against its own address; null where it is no redirect.
  const char* redirect() {
    if (easy_ == nullptr) return nullptr;
    long status = 0;
    library_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    if (status < 301 || status > 308 || status == 304) return nullptr;
    char* next = nullptr;
    library_.easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &next);
    return next;
  }

  void follow(std::string next) {
    if (++hops_ >= kHopsMax) {
      return fail(Error{ErrorCode::Corrupt, "it is redirected again and again", address_.host,
                        "check the address"});
    }
    auto address = check_web_address(next, rules_);
    if (!address) return fail(address.error().wrap("redirected to what is not allowed"));
    // Once it has left its origin a token does not come back either.
    if (address->origin != token_origin_) request_.token = ApiKey();
    go(std::move(*address));
  }

  const CurlLibrary& library_;
  CURLM* multi_;
  const WebRules& rules_;
  const HttpLimits& limits_;
  WebRequest request_;
  WebHandlers handlers_;
  WebAddress address_;
  std::string token_origin_;
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  WebReply reply_;
  std::optional<Error> error_;
  int hops_ = 0;
  size_t ignored_ = 0;
  bool done_ = false;
  bool had_enough_ = false;
  bool refused_address_ = false;
  WebClock::time_point last_byte_ = WebClock::now();
  char words_[CURL_ERROR_SIZE] = {};
};

WebSession::WebSession(const CurlLibrary& library, WebRules rules, HttpLimits limits)
    : library_(library), rules_(std::move(rules)), limits_(limits),
      multi_(library.multi_init()) {}

WebSession::~WebSession() {
  transfers_.clear();
  if (multi_ != nullptr) library_.multi_cleanup(static_cast<CURLM*>(multi_));
}

Result<std::unique_ptr<WebSession>> WebSession::create(WebRules rules, HttpLimits limits) {
  auto library = curl_library();
  if (!library) return library.error();
  std::unique_ptr<WebSession> session(new WebSession(**library, std::move(rules), limits));
  if (session->multi_ == nullptr) {
    return Error{ErrorCode::Internal, "libcurl cannot make a call", "", ""};
  }
  return session;
}

void WebSession::start(WebRequest request, WebHandlers handlers) {
  transfers_.push_back(std::make_unique<Transfer>(library_, static_cast<CURLM*>(multi_), rules_,
                                                  limits_, std::move(request),
                                                  std::move(handlers)));
  transfers_.back()->begin();
}

void WebSession::cancel() { transfers_.clear(); }

Result<void> WebSession::step(const StopFlag& stop) {
  if (stop.raised()) {
    return Error{ErrorCode::Interrupted, "stopped", "", "call it again: what came is kept"};
  }
  auto* multi = static_cast<CURLM*>(multi_);
  int running = 0;
  library_.multi_perform(multi, &running);
  int left = 0;
  while (const CURLMsg* message = library_.multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    for (auto& transfer : transfers_) {
      if (transfer->owns(easy)) {
        transfer->ended(code);
        break;
      }
    }
  }
  std::list<std::unique_ptr<Transfer>> finished;
  for (auto at = transfers_.begin(); at != transfers_.end();) {
    (*at)->check_silence();
    const auto next = std::next(at);
    if ((*at)->done()) finished.splice(finished.end(), transfers_, at);
    at = next;
  }
  for (auto& transfer : finished) transfer->tell();
  if (finished.empty()) library_.multi_poll(multi, nullptr, 0, kWebPollMs, nullptr);
  return {};
}

Error status_error(const WebReply& reply, const std::string& url) {
  const std::string what = fmt::format("the server answered {}", reply.status);
  switch (reply.status) {
    case 401:
    case 403:
      return Error{ErrorCode::Config, what + ": it wants a token, or another one", url,
                   "accept the model's terms on the hub, and set HF_TOKEN (or pull.token_file)"};
    case 404:
    case 410:
      return Error{ErrorCode::NotFound, what + ": there is no such file", url,
                   "check the name, or name a mirror"};
    default:
      return Error{ErrorCode::Unavailable, what, url, "try again later: what came is kept"};
  }
}

bool worth_a_retry(const WebReply& reply, const Error* error) {
  if (error != nullptr) return error->code == ErrorCode::Unavailable;
  return reply.status == 408 || reply.status == 429 || reply.status >= 500;
}

Result<void> wait_before_retry(double seconds, const StopFlag& stop) {
  const auto until = WebClock::now() + std::chrono::duration<double>(seconds);
  while (WebClock::now() < until) {
    if (stop.raised()) {
      return Error{ErrorCode::Interrupted, "stopped", "", "call it again: what came is kept"};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(kWebPollMs));
  }
  return {};
}

Result<std::string> fetch_text(WebSession& session, const WebRequest& request, size_t bytes_max,
                               const StopFlag& stop) {
  for (int attempt = 1;; ++attempt) {
    std::string text;
    bool whole = false;
    bool too_long = false;
    WebReply reply;
    std::optional<Error> error;
    session.start(request, {.on_reply = [](const WebReply&) { return true; },
                            .on_bytes = [&](std::string_view bytes) {
                              too_long = text.size() + bytes.size() > bytes_max;
                              if (!too_long) text += bytes;
                              return !too_long;
                            },
                            .on_done = [&](const WebReply& ended, const Error* failure) {
                              whole = true;
                              reply = ended;
                              if (failure != nullptr) error = *failure;
                            }});
    while (!whole) {
      if (auto moved = session.step(stop); !moved) return moved.error();
    }
    if (too_long) {
      return Error{ErrorCode::OverBudget, fmt::format("the reply is longer than {} bytes",
                                                      bytes_max), request.url, "is this a hub?"};
    }
    if (!error && reply.status == 200) return text;
    if (attempt >= kTextTries || !worth_a_retry(reply, error ? &*error : nullptr)) {
      return error ? *error : status_error(reply, request.url);
    }
    const double seconds = std::max(reply.retry_after_seconds, 0.5 * attempt);
    if (auto waited = wait_before_retry(seconds, stop); !waited) return waited.error();
  }
}

}  // namespace tinyarms::remote
