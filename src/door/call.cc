#include "door/call.h"

#include <algorithm>

#include "anthropic/messages.h"

namespace tinyarms::door {

std::string_view scope_name(Scope scope) {
  switch (scope) {
    case Scope::Open: return "open";
    case Scope::Models: return "models";
    case Scope::Chat: return "chat";
    case Scope::Embeddings: return "embeddings";
    case Scope::Metrics: return "metrics";
    case Scope::Admin: return "admin";
    case Scope::Own: return "own";
  }
  return "open";
}

bool Caller::may(Scope scope) const {
  return scope == Scope::Open || scopes.empty() ||
         std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

http::Response error_response(std::string_view path, const openai::ApiError& error) {
  const openai::OrderedJson json = path.starts_with("/v1/messages") ? anthropic::error_json(error)
                                                                    : openai::error_json(error);
  http::Response response{error.status, "application/json", openai::text_of(json)};
  if (error.retry_after) {
    response.headers.push_back({"Retry-After", std::to_string(*error.retry_after)});
  }
  if (error.status == 401) response.headers.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

Call::Call(std::shared_ptr<http::Exchange> exchange) : exchange_(std::move(exchange)) {}

void Call::send(const openai::OrderedJson& json, std::vector<http::Header> headers) const {
  send(http::Response{200, "application/json", openai::text_of(json), std::move(headers)});
}

void Call::send(http::Response response) const {
  const auto& more = admission().headers;
  response.headers.insert(response.headers.end(), more.begin(), more.end());
  exchange_->send(std::move(response));
}

void Call::fail(const openai::ApiError& error) const {
  send(error_response(request().path, error));
}

void Call::begin_events(std::string first, std::vector<http::Header> headers) const {
  begin("text/event-stream; charset=utf-8", std::move(first), std::move(headers));
}

void Call::begin_lines(std::string first) const {
  begin("application/x-ndjson", std::move(first), {});
}

void Call::begin(std::string type, std::string first, std::vector<http::Header> headers) const {
  http::Response response{200, std::move(type), std::move(first), std::move(headers)};
  const auto& more = admission().headers;
  response.headers.insert(response.headers.end(), more.begin(), more.end());
  exchange_->begin(std::move(response));
}

}  // namespace tinyarms::door
