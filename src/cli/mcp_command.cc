// tinyarms mcp: the Model Context Protocol over standard input and output (docs/mcp.md).
#include "cli/mcp_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/descriptor.h"
#include "cli/build_info.h"
#include "cli/context.h"
#include "mcp/service.h"
#include "mcp/stdio.h"
#include "service/assistant.h"

namespace tinyarms::cli {
namespace {

struct McpOptions {
  std::vector<std::string> roots;
  int workers = 1;
};

// SIGINT and SIGTERM reach this thread alone, and only while it waits for input: a signal that comes
// before it does is not lost, and one that comes while it waits ends the waiting.
class SignalsWhileWaiting {
 public:
  SignalsWhileWaiting() {
    sigset_t set;
    sigemptyset(&set);
    for (const int one : {SIGINT, SIGTERM}) sigaddset(&set, one);
    ::pthread_sigmask(SIG_BLOCK, &set, &before_);
  }
  ~SignalsWhileWaiting() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsWhileWaiting(const SignalsWhileWaiting&) = delete;
  SignalsWhileWaiting& operator=(const SignalsWhileWaiting&) = delete;

  bool wait(int descriptor) const {
    struct pollfd one {descriptor, POLLIN, 0};
    return ::ppoll(&one, 1, nullptr, &before_) > 0;
  }
  // What came while nobody waited is delivered now.
  void let_through() const { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

// Nothing but the protocol may be on standard output, whatever a library prints: from here on
// descriptor 1 is standard error, and the protocol has its own.
int take_output() {
  const int own = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (own >= 0) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  return own;
}

void run_mcp(const McpOptions& options, Context& context) {
  auto loaded = context.load_settings(false);
  if (!loaded) return;
  auto roots = mcp::Roots::open(options.roots);
  if (!roots) return context.fail(roots.error(), false);
  const SignalsWhileWaiting signals;  // before the first thread
  const Descriptor output(take_output());
  if (output.get() < 0) {
    return context.fail({ErrorCode::Io, "cannot be used", "standard output", ""}, false);
  }
  door::LiveSettings settings(loaded->settings);
  door::ModelNames names(context.paths.models_dir, context.clock);
  door::AnswerCounts counts;
  std::unique_ptr<mcp::Service> service;  // goes last: calls under way point into it
  constexpr size_t kWaitingMax = 64;
  door::Climbs climbs(loaded->settings,
                      {.paths = context.paths,
                       .clock = context.clock,
                       .physical_bytes = service::physical_memory()},
                      {.workers = options.workers, .queue_max = kWaitingMax});
  door::Encoders encoders(settings, context.paths, kWaitingMax);
  const door::Kitchen kitchen{climbs, encoders, names, settings, context.clock, counts, "tinyarms"};
  service = std::make_unique<mcp::Service>(kitchen, context.paths, std::move(*roots),
                                           std::string(kVersion));
  mcp::serve_stdio(service->dispatcher(),
                   {.input = STDIN_FILENO,
                    .output = output.get(),
                    .wait = [&](int descriptor) { return signals.wait(descriptor); },
                    .ended = [&] { signals.let_through(); }},
                   context.stop);
  service->close();
  if (context.stop.raised()) context.exit = Exit::Interrupted;
}

}  // namespace

void add_mcp(CLI::App& app, Context& context) {
  auto options = std::make_shared<McpOptions>();
  CLI::App* mcp = app.add_subcommand(
      "mcp", "Serve the Model Context Protocol on standard input and output");
  mcp->add_option("--root", options->roots,
                  "A folder that tools may read (default: this one); several may be given")
      ->allow_extra_args(false)
      ->type_name("DIR");
  mcp->add_option("--workers", options->workers, "Questions that climb at the same time")
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  add_switch(*mcp, context, "--no-cache", "l1.cache", "false", "Neither use nor fill the cache");
  add_switch(*mcp, context, "--no-offline", "offline", "false", "Allow the remote tier");
  add_setting(*mcp, context, "--threads", "threads", "Processor threads (0: all)");
  mcp->footer(
      "For agents and editors: they start it and speak to it; docs/mcp.md tells how to add it. The\n"
      "same over HTTP is /mcp of `tinyarms serve`. It ends when its input does, or by Ctrl-C.\n"
      "Examples:\n"
      "  tinyarms mcp --root ~/project\n"
      "  claude mcp add tinyarms -- tinyarms mcp --root .");
  mcp->callback([options, &context] { run_mcp(*options, context); });
}

}  // namespace tinyarms::cli
