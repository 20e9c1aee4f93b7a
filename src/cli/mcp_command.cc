// tinyarms mcp: the Model Context Protocol over standard input and output (docs/mcp.md).
#include "cli/mcp_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/descriptor.h"
#include "cli/build_info.h"
#include "cli/context.h"
#include "cli/cost_terms.h"
#include "cli/protocol_stream.h"
#include "mcp/service.h"
#include "mcp/stdio.h"
#include "service/assistant.h"
#include "service/trace_export.h"

namespace tinyarms::cli {
namespace {

struct McpOptions {
  std::vector<std::string> roots;
  int workers = 1;
};

void run_mcp(const McpOptions& options, Context& context) {
  auto loaded = context.load_settings(false);
  if (!loaded) return;
  auto roots = mcp::Roots::open(options.roots);
  if (!roots) return context.fail(roots.error(), false);
  const SignalsWhileWaiting signals;  // before the first thread
  const Descriptor output(take_standard_output());
  if (output.get() < 0) {
    return context.fail({ErrorCode::Io, "cannot be used", "standard output", ""}, false);
  }
  service::TraceExport traces(context.sources.environment, std::string(kVersion));
  if (auto configured = traces.configure(loaded->settings); !configured) {
    return context.fail(configured.error(), false);
  }
  door::LiveSettings settings(loaded->settings);
  door::ModelNames names(context.paths.models_dir, context.clock);
  door::AnswerCounts counts;
  std::unique_ptr<mcp::Service> service;  // goes last: calls under way point into it
  constexpr size_t kWaitingMax = 64;
  door::Climbs climbs(loaded->settings,
                      {.paths = context.paths,
                       .clock = context.clock,
                       .physical_bytes = service::physical_memory(),
                       .traces = &traces,
                       .prices = price_list(context)},
                      {.workers = options.workers, .queue_max = kWaitingMax});
  door::Encoders encoders(settings, context.paths, kWaitingMax,
                          [&climbs] { return climbs.models(); });
  const door::Kitchen kitchen{climbs, encoders, names, settings, context.clock, counts, "tinyarms"};
  service = std::make_unique<mcp::Service>(kitchen, context.paths, std::move(*roots),
                                           std::string(kVersion));
  mcp::serve_stdio(service->dispatcher(),
                   {.input = STDIN_FILENO,
                    .write =
                        [&](std::string_view bytes) {
                          return signals.write_all(output.get(), bytes, context.stop);
                        },
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
      "For agents and editors: they start it and speak to it; docs/mcp.md tells how to add it.\n"
      "The same over HTTP is /mcp of `tinyarms serve`. It ends when its input does, or by Ctrl-C.\n"
      "Examples:\n"
      "  tinyarms mcp --root ~/project\n"
      "  claude mcp add tinyarms -- tinyarms mcp --root .");
  mcp->callback([options, &context] { run_mcp(*options, context); });
}

}  // namespace tinyarms::cli
