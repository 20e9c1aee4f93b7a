// The table of routes. Each group is one function that adds its lines to the door.
#pragma once

#include "door/answering.h"
#include "door/door.h"
#include "http/server.h"

namespace tinyarms::door {

// /v1/chat/completions, /v1/responses, /v1/messages, /v1/models
void add_openai_routes(Door& door, const Kitchen& kitchen);

// /v1/embeddings, /v1/rerank, /v2/rerank, /v1/messages/count_tokens
void add_encoder_routes(Door& door, const Kitchen& kitchen);

// /openapi.json: what the door has by then, so the last to be added.
void add_openapi_route(Door& door, const std::string& version);

// /health, /ready, /metrics. `server` says its counts once it runs.
struct Gauges {
  const Kitchen& kitchen;
  const Climbs& climbs;
  std::function<http::ServerCounts()> server;
  std::string version;
  const service::TraceExport* traces = nullptr;  // null: nobody is told of climbs
};
void add_service_routes(Door& door, const Gauges& gauges);

}  // namespace tinyarms::door
