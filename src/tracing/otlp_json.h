// Spans as OTLP/HTTP wants them in JSON (opentelemetry-proto, docs/specification.md, "JSON Protobuf
// Encoding"): camelCase names, ids in hexadecimal, 64-bit integers as text, enums as numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tracing/span.h"

namespace tinyarms::tracing {

// The body of a request to /v1/traces: an ExportTraceServiceRequest.
std::string otlp_json(std::span<const Span> spans, const Resource& resource);

// How many of them a collector says it did not take, in its reply of status 200. What cannot be
// read says nothing.
uint64_t rejected_spans(std::string_view reply);

}  // namespace tinyarms::tracing
