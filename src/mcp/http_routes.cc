#include "mcp/http_routes.h"

#include <fmt/format.h>

#include <atomic>
#include <mutex>

namespace tinyarms::mcp {
namespace {

using door::Call;
using jsonrpc::Failure;
using jsonrpc::Message;

constexpr size_t kBodyMax = 4 << 20;
constexpr const char* kSessionHeader = "Mcp-Session-Id";

void send_failure(const Call& call, int status, const Json& id, const Failure& failure) {
  call.send(http::Response{status, "application/json", jsonrpc::failure_text(id, failure)});
}

std::string event_of(const std::string& text) { return "event: message\ndata: " + text + "\n\n"; }

// Whether the client takes a stream of events; one that says nothing takes JSON.
bool takes_events(const http::Request& request) {
  const auto accept = request.header("accept");
  return accept && accept->find("text/event-stream") != std::string_view::npos;
}

// JSON at once, or events from the first notification on.
class HttpAnswer final : public Answer {
 public:
  HttpAnswer(Call call, Json id, bool stateless, std::vector<http::Header> headers)
      : call_(std::move(call)),
        id_(std::move(id)),
        stateless_(stateless),
        events_(takes_events(call_.request())),
        headers_(std::move(headers)) {}

  void reply(std::string text) override {
    const std::lock_guard lock(mutex_);
    if (!begun_) {
      return call_.send(http::Response{200, "application/json", std::move(text), headers_});
    }
    call_.write(event_of(text));
    call_.end();
  }

  void fail(const Failure& failure) override {
    const std::lock_guard lock(mutex_);
    if (begun_) {
      call_.write(event_of(jsonrpc::failure_text(id_, failure)));
      return call_.end();
    }
    send_failure(call_, stateless_ ? http_status(failure.code) : 200, id_, failure);
  }

  void notify(std::string text) override {
    const std::lock_guard lock(mutex_);
    if (!events_) return;
    if (begun_) {
      call_.write(event_of(text));
      return;
    }
    begun_ = true;
    call_.begin_events(event_of(text), headers_);
  }

  void drop() override {
    const std::lock_guard lock(mutex_);
    if (!begun_) call_.begin_events("", headers_);
    call_.end();
  }

 private:
  const Call call_;
  const Json id_;
  const bool stateless_;
  const bool events_;
  const std::vector<http::Header> headers_;
  std::mutex mutex_;
  bool begun_ = false;
};

Client client_of(const door::Caller& caller) {
  // A key without scopes has all of them but this one.
  const bool admin = !caller.scopes.empty() && caller.may(door::Scope::Admin);
  return {.owner = caller.owner,
          .files = caller.owner.empty() || admin,
          .ask = caller.may(door::Scope::Chat),
          .embed = caller.may(door::Scope::Embeddings)};
}

class Endpoint {
 public:
  Endpoint(Dispatcher& dispatcher, Sessions& sessions)
      : dispatcher_(dispatcher), sessions_(sessions) {}

  void post(const Call& call) const {
    const http::Request& request = call.request();
    const jsonrpc::Parsed parsed = jsonrpc::parse(request.body, {.bytes_max = kBodyMax});
    if (!parsed.message) return send_failure(call, 400, parsed.id, parsed.failure);
    const Message& message = *parsed.message;
    const auto version = request.header("mcp-protocol-version");
    const bool handshake = version && is_handshake_version(*version);
    const bool stateless = (version && !handshake && !is_older(*version)) ||
                           (!handshake && has_envelope(message));
    stateless ? post_stateless(call, message) : post_in_session(call, message);
  }

  void end_session(const Call& call) const {
    const auto id = call.request().header("mcp-session-id");
    if (!id || !sessions_.close(*id, call.caller().owner)) {
      return send_failure(call, 404, nullptr, {jsonrpc::kInvalidRequest, "no such session", {}});
    }
    dispatcher_.stop(std::string(*id));
    call.send(http::Response{204, "", ""});
  }

 private:
  // Revisions before those served here: what they ask of a request is asked by the next one too.
  static bool is_older(std::string_view version) {
    return version == "2024-11-05" || version == "2025-03-26";
  }

  static void acknowledge(const Call& call) { call.send(http::Response{202, "", ""}); }

  void post_stateless(const Call& call, const Message& message) const {
    const http::Request& request = call.request();
    const auto version = request.header("mcp-protocol-version");
    if (message.kind == Message::Kind::Notification) {
      if (version && *version != kStateless) {
        return send_failure(call, 400, nullptr, unsupported_version(*version));
      }
      return acknowledge(call);  // there is none that would mean anything here
    }
    if (message.kind == Message::Kind::Response) {
      return send_failure(call, 400, nullptr,
                          {jsonrpc::kInvalidRequest, "nothing was asked of the client", {}});
    }
    const RoutingHeaders headers{.version = version,
                                 .method = request.header("mcp-method"),
                                 .name = request.header("mcp-name"),
                                 .repeated = request.count("mcp-protocol-version") > 1 ||
                                             request.count("mcp-method") > 1 ||
                                             request.count("mcp-name") > 1};
    auto wrong = message.params.is_object() ? check_envelope(message.params)
                                            : Failure{jsonrpc::kInvalidParams, "no params", {}};
    // Who disagrees with itself is told so, rather than that its version is unknown.
    if (!wrong || wrong->code == kUnsupportedVersion) {
      if (auto mismatch = check_headers(message, headers)) wrong = std::move(mismatch);
    }
    if (wrong) return send_failure(call, http_status(wrong->code), message.id, *wrong);
    dispatch(call, message, true, "", {});
  }

  void post_in_session(const Call& call, const Message& message) const {
    const std::string& owner = call.caller().owner;
    std::string session(call.request().header("mcp-session-id").value_or(""));
    std::vector<http::Header> headers;
    if (message.kind == Message::Kind::Request && message.method == "initialize") {
      session = sessions_.open(owner);
      headers.push_back({kSessionHeader, session});
    } else if (!session.empty() && !sessions_.use(session, owner)) {
      return send_failure(call, 404, message.id,
                          {jsonrpc::kInvalidRequest, "no such session: initialize again", {}});
    }
    switch (message.kind) {
      case Message::Kind::Notification:
        dispatcher_.notification(message, session);
        return acknowledge(call);
      case Message::Kind::Response: return acknowledge(call);
      case Message::Kind::Request: break;
    }
    dispatch(call, message, false, session, std::move(headers));
  }

  void dispatch(const Call& call, const Message& message, bool stateless,
                const std::string& session, std::vector<http::Header> headers) const {
    Arrival arrival;
    arrival.stateless = stateless;
    arrival.session = session;
    arrival.client = client_of(call.caller());
    arrival.stop = call.stop_flag();
    dispatcher_.request(message, arrival,
                        std::make_shared<HttpAnswer>(call, message.id, stateless,
                                                     std::move(headers)));
  }

  Dispatcher& dispatcher_;
  Sessions& sessions_;
};

}  // namespace

void add_http_routes(door::Door& door, Dispatcher& dispatcher, Sessions& sessions) {
  const Endpoint endpoint(dispatcher, sessions);
  door.add({"POST", "/mcp", door::Scope::Chat, [endpoint](const Call& call) {
              endpoint.post(call);
            }});
  door.add({"DELETE", "/mcp", door::Scope::Chat, [endpoint](const Call& call) {
              endpoint.end_session(call);
            }});
}

}  // namespace tinyarms::mcp
