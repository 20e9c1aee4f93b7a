// A span as OpenTelemetry has it (opentelemetry-proto, trace.proto): what was done, from when to
// when, as part of what, with what came of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/trace_context.h"

namespace tinyarms::tracing {

enum class SpanKind { Internal = 1, Server = 2, Client = 3 };  // numbers of the protocol

using AttributeValue =
    std::variant<std::string, bool, int64_t, double, std::vector<std::string>>;
using Attributes = std::vector<std::pair<std::string_view, AttributeValue>>;  // names: literals

struct SpanEvent {
  std::string_view name;
  uint64_t at_ns = 0;
  Attributes attributes = {};
};

struct Span {
  TraceContext context;
  uint64_t parent = 0;  // 0: it begins the trace
  std::string name;
  SpanKind kind = SpanKind::Internal;
  uint64_t start_ns = 0;  // since 1970 UTC
  uint64_t end_ns = 0;
  Attributes attributes = {};
  std::vector<SpanEvent> events = {};
  bool failed = false;
};

// What all spans of a process share: "service.name" and the like.
struct Resource {
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string version;  // of this program
};

}  // namespace tinyarms::tracing
