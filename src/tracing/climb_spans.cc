#include "tracing/climb_spans.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/sha256.h"

namespace tinyarms::tracing {
namespace {

using cascade::Decision;
using cascade::Finish;
using cascade::Level;

constexpr std::string_view kOwnProvider = "tinyarms";

uint64_t nanoseconds(double seconds) {
  return seconds > 0 ? static_cast<uint64_t>(seconds * 1e6) * 1000 : 0;  // what a double holds
}

std::string operation_of(const ClimbNote& note) {
  return note.completes_text ? "text_completion" : "chat";
}

std::string finish_reason(const AttemptNote& attempt) {
  switch (attempt.finish) {
    case Finish::Stop: return attempt.calls_tools ? "tool_calls" : "stop";
    case Finish::Length: return "length";
    case Finish::Interrupted: return "interrupted";
    case Finish::Abandoned: return "abandoned";
  }
  return "stop";
}

void add_number(Attributes& attributes, std::string_view name,
                const std::optional<double>& value) {
  if (value) attributes.emplace_back(name, *value);
}

void add_text(Attributes& attributes, std::string_view name, const std::string& text) {
  if (!text.empty()) attributes.emplace_back(name, text);
}

void add_usage(Attributes& attributes, int64_t prompt, int64_t cached, int64_t completion) {
  if (prompt > 0) attributes.emplace_back("gen_ai.usage.input_tokens", prompt);
  if (cached > 0) attributes.emplace_back("gen_ai.usage.cache_read.input_tokens", cached);
  if (completion > 0) attributes.emplace_back("gen_ai.usage.output_tokens", completion);
}

// "127.0.0.1:8080", "[::1]:8080"; without a port there is none to tell.
void add_server(Attributes& attributes, const std::string& place) {
  if (place.empty()) return;
  const size_t from = place.starts_with('[') ? place.find(']') : 0;
  const size_t colon = place.find(':', from == std::string::npos ? 0 : from);
  attributes.emplace_back("server.address", place.substr(0, colon));
  int64_t port = 0;
  if (colon == std::string::npos) return;
  const char* end = place.data() + place.size();
  if (std::from_chars(place.data() + colon + 1, end, port).ptr == end) {
    attributes.emplace_back("server.port", port);
  }
}

void add_verdict(Attributes& attributes, const AttemptNote& attempt) {
  attributes.emplace_back("tinyarms.tier", std::string(cascade::level_name(attempt.level)));
  attributes.emplace_back("tinyarms.decision",
                          std::string(cascade::decision_name(attempt.decision)));
  add_number(attributes, "tinyarms.confidence", attempt.confidence);
  if (attempt.confidence) attributes.emplace_back("tinyarms.calibrated", attempt.calibrated);
  add_number(attributes, "tinyarms.threshold", attempt.threshold);
}

// Rules and remembered answers are nobody's model.
std::string_view source_name(const AttemptNote& attempt) {
  return attempt.level < Level::L2 ? "tinyarms.source" : "gen_ai.response.model";
}

void add_ids(Attributes& attributes, const ClimbNote& note) {
  add_text(attributes, "tinyarms.request.id", note.provenance.id);
  add_text(attributes, "tinyarms.decision.id", note.decision);
}

// In the form that the conventions have for it, as JSON text.
std::string as_messages(const std::string& question) {
  const nlohmann::ordered_json part = {{"type", "text"}, {"content", question}};
  const nlohmann::ordered_json message = {{"role", "user"},
                                          {"parts", nlohmann::ordered_json::array({part})}};
  return nlohmann::ordered_json::array({message}).dump(
      -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// Whom the tier asked. A local one says so itself, for it may have several; a remote one may call
// itself what it likes.
const std::string& requested_model(const AttemptNote& attempt, const SpanTerms& terms) {
  const std::string& configured = terms.models[static_cast<size_t>(attempt.level)];
  const bool own = attempt.level != Level::L4 && !attempt.source.empty();
  return own ? attempt.source : configured;
}

Span attempt_span(const ClimbNote& note, size_t index, const SpanTerms& terms) {
  const AttemptNote& attempt = note.attempts[index];
  const double start = note.began + attempt.started;
  Span span{.context = part_of(note.provenance.span, index),
            .parent = note.provenance.span.span,
            .name = std::string(cascade::level_name(attempt.level)),
            .start_ns = nanoseconds(start),
            .end_ns = nanoseconds(start + attempt.seconds)};
  Attributes& attributes = span.attributes;
  add_ids(attributes, note);
  add_verdict(attributes, attempt);
  add_text(attributes, "tinyarms.reason", attempt.reason);
  add_number(attributes, "tinyarms.cost.dollars", attempt.dollars);
  if (attempt.error) {
    span.failed = true;
    attributes.emplace_back("error.type", std::string(error_code_name(*attempt.error)));
  }
  add_text(attributes, source_name(attempt), attempt.source);
  if (attempt.level < Level::L2) return span;
  const bool remote = attempt.level == Level::L4;
  const std::string& model = requested_model(attempt, terms);
  span.name = fmt::format("{} {}", operation_of(note), model.empty() ? span.name : model);
  span.kind = remote ? SpanKind::Client : SpanKind::Internal;
  attributes.emplace_back("gen_ai.operation.name", operation_of(note));
  attributes.emplace_back("gen_ai.provider.name",
                          remote ? terms.remote_provider : std::string(kOwnProvider));
  add_text(attributes, "gen_ai.request.model", model);
  attributes.emplace_back("gen_ai.request.temperature", note.temperature);
  attributes.emplace_back("gen_ai.request.max_tokens", int64_t{note.tokens_max});
  add_server(attributes, attempt.upstream);
  add_usage(attributes, attempt.prompt_tokens, attempt.cached_tokens, attempt.completion_tokens);
  if (attempt.answered) {
    attributes.emplace_back("gen_ai.response.finish_reasons",
                            std::vector<std::string>{finish_reason(attempt)});
  }
  return span;
}

// Why nobody answered: how the highest tier that was asked failed, where one did.
std::string error_type(const ClimbNote& note) {
  for (auto step = note.attempts.rbegin(); step != note.attempts.rend(); ++step) {
    if (step->error) return std::string(error_code_name(*step->error));
  }
  return "no_answer";
}

void add_outcome(const ClimbNote& note, Span& span) {
  Attributes& attributes = span.attributes;
  int64_t prompt = 0;
  int64_t cached = 0;
  int64_t completion = 0;
  std::optional<double> dollars;
  for (const AttemptNote& one : note.attempts) {
    prompt += one.prompt_tokens;
    cached += one.cached_tokens;
    completion += one.completion_tokens;
    if (one.dollars) dollars = dollars.value_or(0) + *one.dollars;
  }
  add_usage(attributes, prompt, cached, completion);
  add_number(attributes, "tinyarms.cost.dollars", dollars);
  attributes.emplace_back("tinyarms.sure", note.sure);
  if (note.interrupted) attributes.emplace_back("tinyarms.interrupted", true);
  if (note.winner && *note.winner < note.attempts.size()) {
    const AttemptNote& winner = note.attempts[*note.winner];
    add_verdict(attributes, winner);
    add_text(attributes, source_name(winner), winner.source);
    attributes.emplace_back("gen_ai.response.finish_reasons",
                            std::vector<std::string>{finish_reason(winner)});
  } else if (!note.interrupted) {
    span.failed = true;
    attributes.emplace_back("error.type", error_type(note));
  }
}

Span question_span(const ClimbNote& note, const SpanTerms& terms) {
  const cascade::Provenance& from = note.provenance;
  const double asked = from.at > 0 ? std::min(from.at, note.began) : note.began;
  Span span{.context = from.span,
            .parent = from.caller ? from.caller->span : 0,
            .name = fmt::format("{} {}", operation_of(note), note.model),
            .kind = from.served ? SpanKind::Server : SpanKind::Internal,
            .start_ns = nanoseconds(asked),
            .end_ns = nanoseconds(note.began + note.seconds)};
  Attributes& attributes = span.attributes;
  attributes.emplace_back("gen_ai.operation.name", operation_of(note));
  attributes.emplace_back("gen_ai.provider.name", std::string(kOwnProvider));
  attributes.emplace_back("gen_ai.request.model", note.model);
  attributes.emplace_back("gen_ai.request.temperature", note.temperature);
  attributes.emplace_back("gen_ai.request.max_tokens", int64_t{note.tokens_max});
  add_ids(attributes, note);
  attributes.emplace_back("tinyarms.question.bytes", static_cast<int64_t>(note.question.size()));
  attributes.emplace_back("tinyarms.question.sha256", sha256_hex(note.question));
  if (terms.keep_question) {
    attributes.emplace_back("gen_ai.input.messages", as_messages(note.question));
  }
  add_outcome(note, span);
  return span;
}

}  // namespace

std::vector<Span> spans_of(const ClimbNote& note, const SpanTerms& terms) {
  std::vector<Span> spans = {question_span(note, terms)};
  for (size_t index = 0; index < note.attempts.size(); ++index) {
    const AttemptNote& attempt = note.attempts[index];
    if (attempt.decision != Decision::Skip) {
      spans.push_back(attempt_span(note, index, terms));
      continue;
    }
    SpanEvent event{.name = "tinyarms.tier.skipped",
                    .at_ns = nanoseconds(note.began + attempt.started)};
    event.attributes.emplace_back("tinyarms.tier",
                                  std::string(cascade::level_name(attempt.level)));
    add_text(event.attributes, "tinyarms.reason", attempt.reason);
    spans.front().events.push_back(std::move(event));
  }
  return spans;
}

}  // namespace tinyarms::tracing
