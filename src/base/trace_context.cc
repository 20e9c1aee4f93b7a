#include "base/trace_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace tinyarms {
namespace {

constexpr size_t kTraceDigits = 32;
constexpr size_t kSpanDigits = 16;
constexpr size_t kVersion0Bytes = 55;  // "00-" trace "-" span "-01"

// Small letters only: two writings of one id would be two ids to some.
std::optional<uint64_t> hex_number(std::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits) {
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value << 4 | static_cast<uint64_t>(c - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): each result for
// one argument only.
uint64_t scattered(uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
  value = (value ^ value >> 27) * 0x94d049bb133111ebu;
  return value ^ value >> 31;
}

uint64_t nonzero_chance() {
  thread_local std::mt19937_64 engine = [] {
    std::random_device source;
    std::seed_seq seed{source(), source(), source(), source()};
    return std::mt19937_64(seed);
  }();
  return std::max<uint64_t>(engine(), 1);
}

}  // namespace

std::string trace_id_text(const TraceContext& context) {
  return fmt::format("{:016x}{:016x}", context.trace_high, context.trace_low);
}

std::string span_id_text(uint64_t span) { return fmt::format("{:016x}", span); }

std::optional<TraceContext> parse_traceparent(std::string_view header) {
  if (header.size() < kVersion0Bytes) return std::nullopt;
  if (header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  const auto version = hex_number(header.substr(0, 2));
  const auto high = hex_number(header.substr(3, kTraceDigits / 2));
  const auto low = hex_number(header.substr(3 + kTraceDigits / 2, kTraceDigits / 2));
  const auto span = hex_number(header.substr(36, kSpanDigits));
  const auto flags = hex_number(header.substr(53, 2));
  if (!version || !high || !low || !span || !flags || *version == 0xff) return std::nullopt;
  const bool more = header.size() > kVersion0Bytes;
  if (more && (*version == 0 || header[kVersion0Bytes] != '-')) return std::nullopt;
  const TraceContext context{*high, *low, *span, (*flags & 1) != 0};
  return context.valid() ? std::optional(context) : std::nullopt;
}

std::string traceparent_of(const TraceContext& context) {
  return fmt::format("00-{:016x}{:016x}-{:016x}-{}", context.trace_high, context.trace_low,
                     context.span, context.sampled ? "01" : "00");
}

TraceContext begin_span(const std::optional<TraceContext>& caller) {
  TraceContext own = caller.value_or(
      TraceContext{.trace_high = nonzero_chance(), .trace_low = nonzero_chance()});
  own.span = nonzero_chance();
  return own;
}

TraceContext part_of(const TraceContext& whole, uint64_t n) {
  TraceContext part = whole;
  part.span = std::max<uint64_t>(scattered(scattered(whole.span) + n), 1);
  return part;
}

}  // namespace tinyarms
