#include "service/trace_export.h"

#include <fmt/format.h>

#include "tracing/target.h"

namespace tinyarms::service {
namespace {

tracing::SpanTerms span_terms(const Settings& settings) {
  return {.remote_provider = settings.l4.kind == RemoteKind::Anthropic ? "anthropic" : "openai",
          .models = {"", settings.l1.model, settings.l2.model, settings.l3.model,
                     settings.l4.model},
          .keep_question = settings.log.prompts};
}

}  // namespace

Result<void> TraceExport::configure(const Settings& settings) {
  const std::string& endpoint = settings.telemetry.otlp_endpoint;
  auto target =
      tracing::find_target({.endpoint = endpoint, .offline = settings.offline}, environment_);
  if (!target && !endpoint.empty()) return target.error();
  std::shared_ptr<tracing::Exporter> next;
  std::vector<std::string> notices;
  if (!target) {
    notices.push_back(fmt::format("no traces are sent: {}", target.error().message()));
  } else if (*target) {
    next = std::make_shared<tracing::Exporter>(
        tracing::courier_to(**target), (*target)->terms, span_terms(settings),
        tracing::Resource{.attributes = (*target)->resource, .version = version_});
  }
  const std::lock_guard lock(mutex_);
  exporter_.swap(next);  // the old one ends after the lock, or with whoever uses it
  notices_ = std::move(notices);
  return {};
}

std::shared_ptr<tracing::Exporter> TraceExport::exporter() const {
  const std::lock_guard lock(mutex_);
  return exporter_;
}

void TraceExport::begin(cascade::Provenance& provenance) const {
  if (on()) provenance.span = begin_span(provenance.caller);
}

void TraceExport::record(const cascade::Request& request, const cascade::Reply& reply,
                         double began, double seconds) const {
  const TraceContext& span = request.provenance.span;
  if (!span.valid() || !span.sampled) return;
  if (const auto to = exporter()) to->add(tracing::note_of(request, reply, {began, seconds}));
}

void TraceExport::finish() {
  if (const auto to = exporter()) to->finish();
}

std::optional<tracing::ExportCounts> TraceExport::counts() const {
  const auto to = exporter();
  return to ? std::optional(to->counts()) : std::nullopt;
}

std::string TraceExport::problem() const {
  const auto to = exporter();
  return to ? to->problem() : "";
}

std::vector<std::string> TraceExport::notices() const {
  const std::lock_guard lock(mutex_);
  return notices_;
}

}  // namespace tinyarms::service
