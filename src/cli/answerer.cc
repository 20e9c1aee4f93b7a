#include "cli/answerer.h"

#include <fmt/format.h>

#include "cli/build_info.h"
#include "cli/cost_terms.h"

namespace tinyarms::cli {

std::string program_name() { return fmt::format("{} {}", kVersion, kCommit); }

Answerer::Answerer(const Context& context, const service::LoadedConfig& config,
                   const Terminal& terminal, bool quiet)
    : context_(context), config_(config), terminal_(terminal), quiet_(quiet) {}

// The answer was given; that nobody was told how is worth a line.
Answerer::~Answerer() {
  if (!traces_) return;
  traces_->finish();
  const auto counts = traces_->counts();
  const uint64_t lost = counts ? counts->dropped_full + counts->dropped_undelivered +
                                     counts->dropped_at_end + counts->rejected
                               : 0;
  if (lost == 0 || quiet_) return;
  terminal_.note(printable(fmt::format("note: {} spans did not reach the collector of traces: {}",
                                       lost, traces_->problem())));
}

service::Assistant& Answerer::assistant() {
  if (!assistant_) {
    traces_.emplace(context_.sources.environment, std::string(kVersion));
    if (auto configured = traces_->configure(config_.settings); !configured) {
      terminal_.note(printable("note: no traces are sent: " + configured.error().message()));
    }
    for (const std::string& notice : traces_->notices()) terminal_.note("note: " + notice);
    assistant_.emplace(config_.settings,
                       service::Surroundings{.paths = context_.paths,
                                             .clock = context_.clock,
                                             .physical_bytes = service::physical_memory(),
                                             .traces = &*traces_,
                                             .prices = price_list(context_),
                                             .on_notice = [this](const std::string& line) {
                                               terminal_.note(printable("note: " + line));
                                             }});
    tell(assistant_->notices());
  }
  return *assistant_;
}

// Once, not with every turn of a conversation.
void Answerer::tell(const std::vector<std::string>& notices) {
  std::string all;
  for (const std::string& notice : notices) all += notice + "\n";
  if (std::exchange(noticed_, all) == all) return;
  for (const std::string& notice : notices) terminal_.note(printable("note: " + notice));
}

std::optional<cascade::Reply> Answerer::ask_server(const cascade::Request& request,
                                                   cascade::Listener& listener) {
  const std::string folder = context_.sources.working_dir.string();
  // Where this folder was deleted, a server would take its own for it.
  if (!config_.settings.use_server || folder.empty()) return std::nullopt;
  const Environment& environment = context_.sources.environment;
  const resident::Client server(environment, context_.paths);
  const auto queued = [this](bool now) {
    terminal_.status(now ? "the running server is busy with other questions …" : "");
  };
  auto served = server.ask(request, folder,
                           service::footing_of(config_, context_.paths, environment,
                                               program_name()),
                           {.stop = context_.stop, .listener = listener, .queued = queued});
  if (served) {
    said_.clear();
    tell(served->notices);
    return std::move(served->reply);
  }
  const Error& error = served.error();
  if (error.code == ErrorCode::Interrupted) {
    cascade::Reply reply;
    reply.interrupted = true;
    return reply;
  }
  if (error.code == ErrorCode::NotFound) return std::nullopt;
  const std::string why = error.where.empty() ? error.what : error.message();
  if (std::exchange(said_, why) != why && !quiet_) {
    terminal_.note(printable(fmt::format("note: {}; this process answers", why)));
  }
  return std::nullopt;
}

Answerer::Answered Answerer::ask(const cascade::Request& request, cascade::Listener& listener) {
  if (auto reply = ask_server(request, listener)) return {std::move(*reply), true};
  return {assistant().ask(request, context_.stop, listener), false};
}

cascade::Trace Answerer::plan(const cascade::Request& request) {
  return assistant().plan(request);
}

}  // namespace tinyarms::cli
