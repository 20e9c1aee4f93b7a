// One request on its way through a route: who asks, under which id, and how to answer so that the
// client of that API understands it. Cheap to copy; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "openai/api_error.h"
#include "openai/chat_render.h"

namespace tinyarms::door {

// Own: for programs of the server's own user, over the socket kept for them; no key opens it.
enum class Scope { Open, Models, Chat, Embeddings, Metrics, Admin, Own };

std::string_view scope_name(Scope scope);

// Who asks: a key's owner, or whoever is on this machine where no keys are asked for.
struct Caller {
  std::string name = "local";
  std::string owner;  // what is remembered for it is kept apart under this; empty: one user
  std::vector<Scope> scopes;  // empty: all
  bool may(Scope scope) const;
};

// What admission found out, carried in http::Request::caller.
struct Admission {
  Caller caller;
  std::string id;  // of the request, for logs and traces
  std::vector<http::Header> headers;  // that every reply to it has
  std::string allow;  // methods of the path, where the request's is none of them
  size_t route = 0;
};

// An error in the shape that clients of the path expect.
http::Response error_response(std::string_view path, const openai::ApiError& error);

class Call {
 public:
  explicit Call(std::shared_ptr<http::Exchange> exchange);

  const http::Request& request() const { return exchange_->request(); }
  const Caller& caller() const { return admission().caller; }
  const std::string& id() const { return admission().id; }
  std::shared_ptr<const StopFlag> gone() const { return exchange_->shared_gone(); }
  std::shared_ptr<StopFlag> stop_flag() const { return exchange_->stop_flag(); }

  void send(const openai::OrderedJson& json, std::vector<http::Header> headers = {}) const;
  void send(http::Response response) const;
  void fail(const openai::ApiError& error) const;

  // Server-sent events.
  void begin_events(std::string first, std::vector<http::Header> headers) const;
  // JSON, one a line.
  void begin_lines(std::string first) const;
  bool write(std::string events) const { return exchange_->write(std::move(events)); }
  void end() const { exchange_->end(); }

 private:
  void begin(std::string type, std::string first, std::vector<http::Header> headers) const;
  const Admission& admission() const {
    return *static_cast<const Admission*>(exchange_->request().caller.get());
  }

  std::shared_ptr<http::Exchange> exchange_;
};

}  // namespace tinyarms::door
