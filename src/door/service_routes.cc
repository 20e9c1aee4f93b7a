#include <fmt/format.h>

#include "door/routes.h"
#include "engine/snapshots/snapshot_keeper.h"
#include "engine/snapshots/snapshot_memory.h"
#include "service/model_pool.h"

namespace tinyarms::door {
namespace {

using openai::OrderedJson;

// One metric of the text format that Prometheus reads.
class MetricsText {
 public:
  void head(std::string_view name, std::string_view type, std::string_view help) {
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  void value(std::string_view name, double value, std::string_view labels = {}) {
    text_ += labels.empty() ? fmt::format("{} {}\n", name, value)
                            : fmt::format("{}{{{}}} {}\n", name, labels, value);
  }
  void one(std::string_view name, std::string_view type, std::string_view help, double amount) {
    head(name, type, help);
    value(name, amount);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void add_http_metrics(MetricsText& text, const http::ServerCounts& counts) {
  const auto number = [](uint64_t value) { return static_cast<double>(value); };
  text.one("tinyarms_connections_open", "gauge", "Connections open now.",
           number(counts.connections_open));
  text.one("tinyarms_connections_total", "counter", "Connections taken.",
           number(counts.connections_total));
  text.one("tinyarms_connections_refused_total", "counter", "Connections over the limit.",
           number(counts.connections_refused));
  text.one("tinyarms_http_requests_total", "counter", "Heads of requests read.",
           number(counts.requests));
  text.one("tinyarms_http_malformed_total", "counter", "Requests that were no HTTP, or too large.",
           number(counts.malformed));
  text.one("tinyarms_http_timeouts_total", "counter", "Connections that were too slow.",
           number(counts.timeouts));
  text.one("tinyarms_http_gone_total", "counter", "Clients that left before their reply was whole.",
           number(counts.gone));
}

// Places come from checked addresses: nothing in them needs escaping.
void add_upstream_metrics(MetricsText& text, const std::vector<service::UpstreamHealth>& all) {
  if (all.empty()) return;
  text.head("tinyarms_upstream_circuit", "gauge", "1 for the state that its circuit is in.");
  for (const service::UpstreamHealth& one : all) {
    for (const std::string_view state : {"closed", "open", "half-open"}) {
      text.value("tinyarms_upstream_circuit", one.circuit == state ? 1 : 0,
                 fmt::format("upstream=\"{}\",state=\"{}\"", one.place, state));
    }
  }
  text.head("tinyarms_upstream_in_flight", "gauge", "Questions that an address of L4 has now.");
  for (const service::UpstreamHealth& one : all) {
    text.value("tinyarms_upstream_in_flight", one.in_flight,
               fmt::format("upstream=\"{}\"", one.place));
  }
  text.head("tinyarms_upstream_first_token_seconds", "gauge", "How soon it answered lately.");
  for (const service::UpstreamHealth& one : all) {
    if (!one.first_token_seconds) continue;
    text.value("tinyarms_upstream_first_token_seconds", *one.first_token_seconds,
               fmt::format("upstream=\"{}\"", one.place));
  }
}

void add_prefix_metrics(MetricsText& text, const engine::SnapshotMemoryCounters& counts) {
  const auto number = [](uint64_t value) { return static_cast<double>(value); };
  text.one("tinyarms_prefix_copies", "gauge", "Beginnings of prompts in memory, beside models.",
           number(counts.snapshots));
  text.one("tinyarms_prefix_copies_bytes", "gauge",
           "What they take there, with those that wait to be written to disk.",
           number(counts.bytes));
  text.one("tinyarms_prefix_copied_total", "counter", "Copied out of a model's memory.",
           number(counts.kept));
  text.one("tinyarms_prefix_copies_let_go_total", "counter",
           "Let go for others, or for a model that needed the memory.", number(counts.let_go));
  text.one("tinyarms_prefix_recalled_tokens_total", "counter",
           "Tokens that came from there back into a model's memory.",
           number(counts.tokens_restored));
}

void add_prefix_metrics(MetricsText& text, const engine::SnapshotCounters& counts) {
  const auto number = [](uint64_t value) { return static_cast<double>(value); };
  text.one("tinyarms_prefix_files", "gauge", "Beginnings of prompts on disk.",
           number(counts.files));
  text.one("tinyarms_prefix_bytes", "gauge", "What they take there.", number(counts.bytes));
  text.one("tinyarms_prefix_written_total", "counter", "Written to disk.",
           number(counts.written));
  text.one("tinyarms_prefix_not_written_total", "counter",
           "Not written: the disk refused, or too much was waiting.", number(counts.not_written));
  text.one("tinyarms_prefix_read_total", "counter", "Read from disk for a question.",
           number(counts.read));
  text.one("tinyarms_prefix_unusable_total", "counter", "Wanted, and found damaged or gone.",
           number(counts.unusable));
  text.one("tinyarms_prefix_restored_tokens_total", "counter",
           "Tokens that came from disk into a model's memory.", number(counts.tokens_restored));
}

void add_trace_metrics(MetricsText& text, const service::TraceExport* traces) {
  const auto counts = traces != nullptr ? traces->counts() : std::nullopt;
  if (!counts) return;
  const auto number = [](uint64_t value) { return static_cast<double>(value); };
  text.one("tinyarms_spans_sent_total", "counter", "Spans that the collector took.",
           number(counts->sent));
  constexpr std::string_view kDropped = "tinyarms_spans_dropped_total";
  text.head(kDropped, "counter", "Spans that it never got, by why.");
  text.value(kDropped, number(counts->dropped_full), "reason=\"queue_full\"");
  text.value(kDropped, number(counts->dropped_undelivered), "reason=\"undelivered\"");
  text.value(kDropped, number(counts->dropped_at_end), "reason=\"shutdown\"");
  text.value(kDropped, number(counts->rejected), "reason=\"rejected\"");
  text.one("tinyarms_spans_waiting", "gauge", "Spans in the queue or on their way.",
           number(counts->waiting));
  text.one("tinyarms_span_exports_total", "counter", "Requests to the collector.",
           number(counts->tries));
  text.one("tinyarms_span_export_failures_total", "counter", "Of those, failed.",
           number(counts->failed_tries));
}

void show_metrics(const Door& door, const Gauges& gauges, const Call& call) {
  const auto number = [](uint64_t value) { return static_cast<double>(value); };
  MetricsText text;
  add_http_metrics(text, gauges.server());
  const ClimbCounts climbs = gauges.climbs.counts();
  text.one("tinyarms_climbs_waiting", "gauge", "Questions in the queue.", number(climbs.waiting));
  text.one("tinyarms_climbs_running", "gauge", "Questions being answered.",
           number(climbs.running));
  text.one("tinyarms_climbs_refused_total", "counter", "Questions refused: the queue was full.",
           number(climbs.refused));
  text.one("tinyarms_climbs_abandoned_total", "counter",
           "Questions whose client had gone before their turn.", number(climbs.abandoned));
  text.head("tinyarms_refused_total", "counter", "Requests refused at the door, by why.");
  const Door::Counts& refused = door.counts();
  text.value("tinyarms_refused_total", number(refused.by_guard), "reason=\"guard\"");
  text.value("tinyarms_refused_total", number(refused.by_key), "reason=\"key\"");
  text.value("tinyarms_refused_total", number(refused.by_limit), "reason=\"limit\"");
  text.value("tinyarms_refused_total", number(refused.unknown), "reason=\"route\"");
  text.head("tinyarms_answers_total", "counter", "Answers given, by the tier that gave them.");
  const AnswerCounts& answers = gauges.kitchen.counts;
  for (const cascade::Level level : cascade::kLevels) {
    text.value("tinyarms_answers_total", number(answers.by_level[static_cast<size_t>(level)]),
               fmt::format("tier=\"{}\"", cascade::level_name(level)));
  }
  text.one("tinyarms_unanswered_total", "counter", "Questions that ended in an error.",
           number(answers.failed));
  text.one("tinyarms_prompt_tokens_total", "counter", "Tokens of prompts, of all tiers asked.",
           number(answers.prompt_tokens));
  text.one("tinyarms_completion_tokens_total", "counter", "Tokens written, by all tiers asked.",
           number(answers.completion_tokens));
  add_upstream_metrics(text, gauges.climbs.upstreams());
  const auto models = gauges.climbs.models();
  add_prefix_metrics(text, models->prefixes_in_memory().counters());
  if (const auto* disk = models->prefixes_on_disk()) add_prefix_metrics(text, disk->counters());
  add_trace_metrics(text, gauges.traces);
  call.send(http::Response{200, "text/plain; version=0.0.4; charset=utf-8", text.take()});
}

// Ready to answer: with models in the queue's way, a client may prefer another server.
void show_ready(const Gauges& gauges, const Call& call) {
  const ClimbCounts climbs = gauges.climbs.counts();
  std::vector<std::string> notices = gauges.climbs.notices();
  if (gauges.traces != nullptr) {
    for (std::string& notice : gauges.traces->notices()) notices.push_back(std::move(notice));
  }
  call.send(OrderedJson{{"status", "ready"},
                        {"waiting", climbs.waiting},
                        {"running", climbs.running},
                        {"notices", notices}});
}

}  // namespace

void add_service_routes(Door& door, const Gauges& gauges) {
  door.add({"GET", "/health", Scope::Open, [version = gauges.version](const Call& call) {
              call.send(OrderedJson{{"status", "ok"}, {"version", version}});
            }});
  door.add({"GET", "/ready", Scope::Open,
            [gauges](const Call& call) { show_ready(gauges, call); }});
  door.add({"GET", "/metrics", Scope::Metrics,
            [&door, gauges](const Call& call) { show_metrics(door, gauges, call); }});
}

}  // namespace tinyarms::door
