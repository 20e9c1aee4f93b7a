#include "remote/chat_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "remote/chat_wire.h"
#include "remote/event_stream.h"

namespace tinyarms::remote {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double kRetryAfterMax = 10;  // a longer wait is the user's to decide
constexpr size_t kErrorBytesMax = 64 << 10;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool is_stream(const HttpReply& reply) {
  return reply.content_type.rfind("text/event-stream", 0) == 0;
}

// One call and what came of it.
class Exchange {
 public:
  Exchange(const Endpoint& endpoint, const std::function<void(std::string_view)>& on_text,
           const std::function<void(const ToolDelta&)>& on_tool, Clock::time_point start)
      : endpoint_(endpoint),
        start_(start),
        reader_(
            [this, &on_text](std::string_view text) {
              note_first_token();
              if (on_text) on_text(text);
            },
            [this, &on_tool](const ToolDelta& delta) {
              note_first_token();
              if (on_tool) on_tool(delta);
            }),
        events_([this](std::string_view data) {
          if (problem_ || reader_.done()) return;
          if (auto taken = reader_.take_event(data); !taken) problem_ = taken.error();
        }) {}

  Result<ChatReply> run(const std::string& body, const ChatClientOptions& options,
                        const StopFlag& stop) {
    HttpCall call{.url = endpoint_.url + "/chat/completions",
                  .headers = {"Content-Type: application/json", "Accept: text/event-stream"},
                  .body = body};
    if (!endpoint_.key.empty()) {
      call.headers.push_back("Authorization: Bearer " + endpoint_.key.reveal());
    }
    const HttpSink sink{.on_reply = [this](const HttpReply& reply) { http_ = reply; },
                        .on_bytes = [this](std::string_view bytes) { return take(bytes); }};
    auto http = post(call, options.limits, stop, sink, options.connections);
    if (problem_) return *problem_;
    if (!http) return broken_off(http.error());
    if (http->status != 200) return refusal();
    if (!is_stream(*http)) {
      if (auto taken = reader_.take_object(body_); !taken) return taken.error();
    }
    if (!reader_.done() && reader_.reply().finish_reason.empty()) {
      return Error{ErrorCode::Unavailable, "the stream ended before the answer did", "",
                   "was the engine stopped?"};
    }
    return reader_.reply();
  }

  const HttpReply& http() const { return http_; }
  bool started() const { return reader_.started(); }

 private:
  void note_first_token() {
    double& seconds = reader_.reply().first_token_seconds;
    if (seconds == 0) seconds = seconds_since(start_);
  }

  bool take(std::string_view bytes) {
    if (http_.status == 200 && is_stream(http_)) {
      if (auto fed = events_.feed(bytes); !fed) problem_ = fed.error();
      return !problem_ && !reader_.done();
    }
    body_ += bytes;
    return http_.status == 200 || body_.size() < kErrorBytesMax;
  }

  // What there is of an interrupted answer is kept, as every tier does.
  Result<ChatReply> broken_off(const Error& error) {
    if (error.code != ErrorCode::Interrupted || reader_.reply().text.empty()) return error;
    reader_.reply().finish_reason = "interrupted";
    return reader_.reply();
  }

  Error refusal() const {
    std::string words = error_words(body_);
    // Some engines repeat the key (or most of it) in their complaint about it.
    const bool about_key = http_.status == 401 || http_.status == 403;
    if (about_key || (!endpoint_.key.empty() &&
                      words.find(endpoint_.key.reveal()) != std::string::npos)) {
      words.clear();
    }
    const auto answer = [&](ErrorCode code, std::string_view what, std::string hint) {
      return Error{code,
                   fmt::format("{} (HTTP {}){}{}", what, http_.status, words.empty() ? "" : ": ",
                               words),
                   "", std::move(hint)};
    };
    if (about_key) {
      return answer(ErrorCode::Config, "the engine refuses the key",
                    "check the variable that l4.api_key_env names");
    }
    if (http_.status == 404) {
      return answer(ErrorCode::Config, "the engine knows no such address or model",
                    "check l4.url (it usually ends in /v1) and l4.model");
    }
    if (http_.status == 429 || http_.status >= 500) {
      return answer(ErrorCode::Unavailable, "the engine is overloaded or failing", "try later");
    }
    if (http_.status >= 300 && http_.status < 400) {
      return answer(ErrorCode::Config, "the engine sends us elsewhere, which is not followed",
                    "set l4.url to the final address");
    }
    return answer(ErrorCode::InvalidArgument, "the engine refuses the request", "");
  }

  const Endpoint& endpoint_;
  Clock::time_point start_;
  HttpReply http_;
  std::string body_;
  std::optional<Error> problem_;
  ReplyReader reader_;
  EventStream events_;
};

// Sleeps in steps, so that a stop is seen; false where it came.
bool wait(double seconds, const StopFlag& stop) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    if (stop.raised()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return !stop.raised();
}

}  // namespace

Result<ChatClient> ChatClient::create(Endpoint endpoint, ChatClientOptions options) {
  auto url = check_endpoint(endpoint);
  if (!url) return url.error();
  endpoint.url = std::move(*url);
  return ChatClient(std::move(endpoint), options);
}

Result<ChatReply> ChatClient::complete(
    const std::vector<ChatMessage>& messages, const ChatOptions& options, const StopFlag& stop,
    const std::function<void(std::string_view)>& on_text,
    const std::function<void(const ToolDelta&)>& on_tool) const {
  const auto start = Clock::now();
  WireOptions wire{.model = endpoint_.model};
  double backoff = options_.backoff_seconds;
  for (int left = std::max(1, options_.tries);;) {
    Exchange exchange(endpoint_, on_text, on_tool, start);
    auto reply = exchange.run(request_body(wire, messages, options), options_, stop);
    if (reply) {
      reply->seconds = seconds_since(start);
      return reply;
    }
    Error error = reply.error();
    if (error.where.empty()) error.where = place_of(endpoint_.url);
    if (exchange.started()) return error;  // part of the answer is out: not to be asked twice
    if (error.code == ErrorCode::InvalidArgument && wire.logprobs) {
      wire.logprobs = false;  // the commonest reason of a refusal; asked once more without
      continue;
    }
    if (error.code != ErrorCode::Unavailable || --left == 0) return error;
    const double asked = exchange.http().retry_after_seconds;
    if (asked > kRetryAfterMax) return error;
    std::random_device jitter;
    const double spread = std::uniform_real_distribution<double>(0.5, 1.5)(jitter);
    if (!wait(std::max(asked, backoff * spread), stop)) {
      return Error{ErrorCode::Interrupted, "stopped while waiting to try again", error.where, ""};
    }
    backoff *= 2;
  }
}

}  // namespace tinyarms::remote
