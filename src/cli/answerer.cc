#include "cli/answerer.h"

#include <fmt/format.h>

#include "cli/build_info.h"
#include "cli/cost_terms.h"

namespace tinyarms::cli {

std::string program_name() { return fmt::format("{} {}", kVersion, kCommit); }

Answerer::Answerer(const Context& context, const service::LoadedConfig& config,
                   const Terminal& terminal, bool quiet)
    : context_(context), config_(config), terminal_(terminal), quiet_(quiet) {}

service::Assistant& Answerer::assistant() {
  if (!assistant_) {
    assistant_.emplace(config_.settings,
                       service::Surroundings{.paths = context_.paths,
                                             .clock = context_.clock,
                                             .physical_bytes = service::physical_memory(),
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
