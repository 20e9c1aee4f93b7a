// Where spans go, from our own setting and from the variables that every OpenTelemetry program
// reads (OpenTelemetry specification, "OpenTelemetry Protocol Exporter" and "Environment Variable
// Specification"). Our setting names the place where it is set; the variables say the rest. By
// default nothing is sent anywhere.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/paths.h"
#include "base/result.h"
#include "tracing/exporter.h"

namespace tinyarms::tracing {

struct Target {
  std::string url;                   // whole: "http://127.0.0.1:4318/v1/traces"
  std::vector<std::string> headers;  // "Name: value"; secrets may be in them
  double timeout_seconds = 10;       // of one request
  bool direct = false;               // past any proxy
  ExportTerms terms = {};
  std::vector<std::pair<std::string, std::string>> resource;  // "service.name" first
};

struct TargetWish {
  std::string endpoint = {};  // of the settings; empty: the variables decide
  bool offline = true;
};

// Nothing where no place is named, or OTEL_SDK_DISABLED=true. Errors: Config: an address that is
// none; another machine while offline, or over plain http with headers that may be secret; a
// protocol other than HTTP; a header or number that is none. The values of headers are in none.
Result<std::optional<Target>> find_target(const TargetWish& wish, const Environment& environment);

// Posts there by libcurl, and keeps its connection.
Courier courier_to(const Target& target);

}  // namespace tinyarms::tracing
