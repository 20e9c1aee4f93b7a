#include "remote/chat_try.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "remote/chat_protocol.h"
#include "remote/event_stream.h"

namespace tinyarms::remote {
namespace {

constexpr size_t kErrorBytesMax = 64 << 10;

bool is_stream(const HttpReply& reply) {
  return reply.content_type.rfind("text/event-stream", 0) == 0;
}

class ChatExchange {
 public:
  ChatExchange(const ChatTry& chat, std::chrono::steady_clock::time_point start)
      : chat_(chat),
        start_(start),
        protocol_(protocol_of(chat.endpoint.api)),
        reader_(protocol_.reader({.on_text =
                                      [this](std::string_view text) {
                                        note_first_token();
                                        if (chat_.sinks.on_text) chat_.sinks.on_text(text);
                                      },
                                  .on_tool =
                                      [this](const ToolDelta& delta) {
                                        note_first_token();
                                        if (chat_.sinks.on_tool) chat_.sinks.on_tool(delta);
                                      }},
                                 chat.options)),
        events_([this](std::string_view data) {
          if (problem_ || reader_->done()) return;
          if (auto taken = reader_->take_event(data); !taken) problem_ = taken.error();
        }) {}

  TryEnd run(const HttpLimits& limits, const StopFlag& stop, HttpConnections* connections) {
    auto reply = exchange(limits, stop, connections);
    TryEnd end{.reply = reply,
               .status = http_.status,
               .retry_after = http_.retry_after_seconds,
               .started = reader_->started(),
               .written_bytes = written_bytes(reader_->reply())};
    if (reply) return end;
    const bool refused = http_.status != 0 && http_.status != 200;
    end.plain = refused ? fmt::format("HTTP {}", http_.status) : reply.error().what;
    if (chat_.quotes && !engine_words().empty()) {
      Error error = reply.error();
      error.what += ": " + engine_words();
      end.reply = error;
    }
    return end;
  }

 private:
  Result<ChatReply> exchange(const HttpLimits& limits, const StopFlag& stop,
                             HttpConnections* connections) {
    HttpCall call{
        .url = chat_.endpoint.url + std::string(protocol_.path()),
        .headers = protocol_.headers(chat_.endpoint.key),
        .body = protocol_.body({.model = chat_.endpoint.model, .logprobs = chat_.logprobs},
                               chat_.messages, chat_.options)};
    if (!chat_.traceparent.empty()) {
      call.headers.push_back(fmt::format("traceparent: {}", chat_.traceparent));
    }
    const HttpSink sink{.on_reply = [this](const HttpReply& reply) { http_ = reply; },
                        .on_bytes = [this](std::string_view bytes) { return take(bytes); }};
    auto http = post(call, limits, stop, sink, connections);
    if (problem_) return *problem_;
    if (!http) return broken_off(http.error());
    if (http->status != 200) return refusal();
    if (!is_stream(*http)) {
      if (auto taken = reader_->take_object(body_); !taken) return taken.error();
    }
    if (!reader_->done() && reader_->reply().finish_reason.empty()) {
      return Error{ErrorCode::Unavailable, "the stream ended before the answer did", "",
                   "was the engine stopped?"};
    }
    return reader_->reply();
  }

  void note_first_token() {
    double& seconds = reader_->reply().first_token_seconds;
    if (seconds != 0) return;
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  bool take(std::string_view bytes) {
    if (http_.status == 200 && is_stream(http_)) {
      if (auto fed = events_.feed(bytes); !fed) problem_ = fed.error();
      return !problem_ && !reader_->done();
    }
    body_ += bytes;
    return http_.status == 200 || body_.size() < kErrorBytesMax;
  }

  // What there is of an interrupted answer is kept, as every tier does.
  Result<ChatReply> broken_off(const Error& error) {
    if (error.code != ErrorCode::Interrupted || reader_->reply().text.empty()) return error;
    reader_->reply().finish_reason = "interrupted";
    return reader_->reply();
  }

  bool about_key() const { return http_.status == 401 || http_.status == 403; }

  // Some engines repeat the key (or most of it) in their complaint about it.
  std::string engine_words() const {
    std::string words = http_.status == 200 ? reader_->engine_words() : error_words(body_);
    const ApiKey& key = chat_.endpoint.key;
    const bool tells = !key.empty() && words.find(key.reveal()) != std::string::npos;
    return about_key() || tells ? "" : words;
  }

  Error refusal() const {
    const auto answer = [&](ErrorCode code, std::string_view what, std::string hint) {
      return Error{code, fmt::format("{} (HTTP {})", what, http_.status), "", std::move(hint)};
    };
    if (about_key()) {
      return answer(ErrorCode::Config, "the engine refuses the key",
                    "check what l4.api_key_env or l4.api_key_file names");
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

  const ChatTry& chat_;
  std::chrono::steady_clock::time_point start_;
  const ChatProtocol& protocol_;
  HttpReply http_;
  std::string body_;
  std::optional<Error> problem_;
  std::unique_ptr<ReplyReader> reader_;
  EventStream events_;
};

}  // namespace

TryEnd try_chat(const ChatTry& chat, const HttpLimits& limits, const StopFlag& stop,
                HttpConnections* connections, std::chrono::steady_clock::time_point start) {
  return ChatExchange(chat, start).run(limits, stop, connections);
}

}  // namespace tinyarms::remote
