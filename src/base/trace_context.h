// Where a piece of work stands in a trace that spans programs, and W3C's `traceparent` header that
// tells the next program (W3C Trace Context, Recommendation of 2021-11-23). `tracestate` is neither
// read nor passed on: it is of other vendors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tinyarms {

struct TraceContext {
  uint64_t trace_high = 0;
  uint64_t trace_low = 0;
  uint64_t span = 0;
  bool sampled = true;  // false: whoever began the trace does not want it recorded

  bool valid() const { return (trace_high | trace_low) != 0 && span != 0; }
  friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

std::string trace_id_text(const TraceContext& context);  // 32 hexadecimal digits
std::string span_id_text(uint64_t span);                 // 16

// Nothing for what is none: wrong lengths, capitals, ids of zeroes, version ff, anything after the
// flags of version 00. Of a later version the first four fields count, as the specification asks.
std::optional<TraceContext> parse_traceparent(std::string_view header);
std::string traceparent_of(const TraceContext& context);

// New work: part of the caller's trace, or the beginning of one. Any thread.
TraceContext begin_span(const std::optional<TraceContext>& caller);

// The context of the nth part of that work. Derived from it, so that whoever does the part and
// whoever records it afterwards name it alike without a word between them.
TraceContext part_of(const TraceContext& whole, uint64_t n);

}  // namespace tinyarms
