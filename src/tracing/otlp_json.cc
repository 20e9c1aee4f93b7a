#include "tracing/otlp_json.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace tinyarms::tracing {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kStatusError = 2;

struct AsValue {
  Json operator()(const std::string& text) const { return {{"stringValue", text}}; }
  Json operator()(bool flag) const { return {{"boolValue", flag}}; }
  Json operator()(int64_t number) const { return {{"intValue", std::to_string(number)}}; }
  // JSON has no infinity; the protocol's own words for them are text.
  Json operator()(double number) const {
    if (std::isfinite(number)) return {{"doubleValue", number}};
    if (std::isnan(number)) return {{"doubleValue", "NaN"}};
    return {{"doubleValue", number > 0 ? "Infinity" : "-Infinity"}};
  }
  Json operator()(const std::vector<std::string>& texts) const {
    Json values = Json::array();
    for (const std::string& text : texts) values.push_back((*this)(text));
    return {{"arrayValue", {{"values", std::move(values)}}}};
  }
};

Json attribute_json(std::string_view name, Json value) {
  return {{"key", name}, {"value", std::move(value)}};
}

Json attributes_json(const Attributes& attributes) {
  Json list = Json::array();
  for (const auto& [name, value] : attributes) {
    list.push_back(attribute_json(name, std::visit(AsValue{}, value)));
  }
  return list;
}

Json span_json(const Span& span) {
  Json json = {{"traceId", trace_id_text(span.context)},
               {"spanId", span_id_text(span.context.span)}};
  if (span.parent != 0) json["parentSpanId"] = span_id_text(span.parent);
  json["flags"] = span.context.sampled ? 1 : 0;
  json["name"] = span.name;
  json["kind"] = static_cast<int>(span.kind);
  json["startTimeUnixNano"] = std::to_string(span.start_ns);
  json["endTimeUnixNano"] = std::to_string(span.end_ns);
  json["attributes"] = attributes_json(span.attributes);
  for (const SpanEvent& event : span.events) {
    json["events"].push_back({{"timeUnixNano", std::to_string(event.at_ns)},
                              {"name", event.name},
                              {"attributes", attributes_json(event.attributes)}});
  }
  if (span.failed) json["status"] = {{"code", kStatusError}};
  return json;
}

}  // namespace

std::string otlp_json(std::span<const Span> spans, const Resource& resource) {
  Json shared = Json::array();
  for (const auto& [name, text] : resource.attributes) {
    shared.push_back(attribute_json(name, AsValue{}(text)));
  }
  Json list = Json::array();
  for (const Span& span : spans) list.push_back(span_json(span));
  const Json scope = {{"scope", {{"name", "tinyarms"}, {"version", resource.version}}},
                      {"spans", std::move(list)}};
  const Json body = {{"resourceSpans",
                      Json::array({{{"resource", {{"attributes", std::move(shared)}}},
                                    {"scopeSpans", Json::array({scope})}}})}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

uint64_t rejected_spans(std::string_view reply) {
  const Json json = Json::parse(reply, nullptr, false);
  if (!json.is_object()) return 0;
  const auto partial = json.find("partialSuccess");
  if (partial == json.end() || !partial->is_object()) return 0;
  const auto rejected = partial->find("rejectedSpans");
  if (rejected == partial->end()) return 0;
  if (rejected->is_number_unsigned()) return rejected->get<uint64_t>();
  if (!rejected->is_string()) return 0;
  const auto& text = rejected->get_ref<const std::string&>();
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  return std::from_chars(text.data(), end, number).ptr == end ? number : 0;
}

}  // namespace tinyarms::tracing
