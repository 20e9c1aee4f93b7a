// MCP over Streamable HTTP: a message a POST, answered as JSON, or as a stream of events where
// there is progress to tell. Both eras on one path; a stateless request tells itself apart by its
// header or its envelope.
#pragma once

#include "door/door.h"
#include "mcp/dispatcher.h"
#include "mcp/sessions.h"

namespace tinyarms::mcp {

// Both outlive the door.
void add_http_routes(door::Door& door, Dispatcher& dispatcher, Sessions& sessions);

}  // namespace tinyarms::mcp
