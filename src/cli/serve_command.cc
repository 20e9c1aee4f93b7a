// tinyarms serve: the cascade behind the APIs that editors and agents speak (docs/serve.md).
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/context.h"
#include "cli/serve_control.h"
#include "cli/serving.h"
#include "resident/notify.h"

namespace tinyarms::cli {
namespace {

// The signals that a server lives by, taken by one thread that waits for them.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int one : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, one);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);  // of every thread that is started from now on
  }
  int wait() const {
    int which = 0;
    ::sigwait(&set_, &which);
    return which;
  }
  // From now on the next one ends the process at once.
  void let_through() const {
    for (const int one : {SIGINT, SIGTERM}) ::signal(one, SIG_DFL);
    ::pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  }

 private:
  sigset_t set_;
};

// A connection is a descriptor, and the usual soft limit is 1024 of them.
void raise_descriptor_limit() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void say_where(const ServeOptions& options, const nlohmann::ordered_json& facts,
               const Terminal& terminal) {
  if (options.json) {
    terminal.out(nlohmann::ordered_json{{"url", facts["url"]},
                                     {"port", facts["port"]},
                                     {"socket", facts["socket"]}}
                     .dump() +
                 "\n");
    return;
  }
  const auto url = facts["url"].get<std::string>();
  if (!url.empty()) {
    terminal.note(fmt::format("listening on {} (OpenAI base URL {}/v1, page {}/)", url, url, url));
  }
  if (!options.socket.empty()) terminal.note("listening on " + printable(options.socket));
}

// Nothing where it is not to be announced, or cannot be: a server that others start from is none
// the less one.
std::unique_ptr<resident::Announcement> claim(const ServeOptions& options,
                                              const Context& context, const Terminal& terminal) {
  if (!options.announce) return nullptr;
  auto claimed = resident::Announcement::claim(context.sources.environment, context.paths);
  if (claimed) return std::move(*claimed);
  terminal.note(printable("note: ask and chat will not find this server: " +
                          claimed.error().message()));
  return nullptr;
}

// Until a signal ends it.
void obey(const Signals& signals, Serving& serving, const Terminal& terminal,
          const Environment& environment) {
  while (signals.wait() == SIGHUP) {
    resident::notify_reloading(environment);
    auto reloaded = serving.reload();
    terminal.note(reloaded ? "configuration read again"
                           : printable("the old configuration stays: " +
                                       reloaded.error().message()));
    resident::notify(environment, "READY=1");
  }
  resident::notify(environment, "STOPPING=1");
  ::signal(SIGHUP, SIG_IGN);  // nothing is read again now
  signals.let_through();
  terminal.note("finishing what is under way; once more ends it at once");
  serving.drain();
}

void serve(const ServeOptions& options, Context& context, Detachment* detachment) {
  const Signals signals;
  raise_descriptor_limit();
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  auto keys = load_keys(options, context);
  if (!keys) return context.fail(keys.error(), options.json);
  if (auto allowed = check_serving(options, *keys); !allowed) {
    return context.fail(allowed.error(), options.json);
  }
  auto roots = mcp::Roots::open(options.roots);
  if (!roots) return context.fail(roots.error(), options.json);
  Serving serving(options, context, *loaded, std::move(*keys), std::move(*roots));
  auto announcement = claim(options, context, context.terminal(loaded->settings));
  if (detachment != nullptr && announcement == nullptr) {
    return context.fail({ErrorCode::Unavailable, "cannot be left alone: nothing would find it",
                         "serve --detach", "start it without --detach"},
                        options.json);
  }
  if (auto started = serving.start(std::move(announcement)); !started) {
    return context.fail(started.error(), options.json);
  }
  const Environment& environment = context.sources.environment;
  if (detachment == nullptr) {
    say_where(options, serving.facts(), context.terminal(loaded->settings));
  } else if (auto done = detachment->complete(serving.facts()); !done) {
    return context.fail(done.error(), options.json);
  }
  resident::notify(environment, "READY=1");
  obey(signals, serving, context.terminal(loaded->settings), environment);
}

void run_serve(const ServeOptions& options, Context& context) {
  if (options.status) return show_server(options, context);
  if (options.stop) return stop_server(options, context);
  if (!options.detach) return serve(options, context, nullptr);
  if (auto detachment = Detachment::begin(options, context)) {
    serve(options, context, &*detachment);
  }
}

}  // namespace

void add_serve(CLI::App& app, Context& context) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* serve = app.add_subcommand("serve", "Serve the APIs of OpenAI and Anthropic locally");
  serve->add_option("--host", options->host, "Numeric address to listen on; \"\": none")
      ->type_name("ADDRESS");
  serve->add_option("--port", options->port, "Port (0: any that is free)")->type_name("N");
  serve->add_option("--socket", options->socket, "Listen on this Unix socket too")
      ->type_name("PATH");
  serve->add_option("--keys", options->keys, "File of API keys (default: beside config.toml)")
      ->type_name("FILE");
  serve->add_option("--tls-cert", options->tls_cert, "Certificate chain, PEM")->type_name("FILE");
  serve->add_option("--tls-key", options->tls_key, "Its key, PEM")->type_name("FILE");
  serve->add_option("--allow-host", options->allow_hosts,
                    "A further name that clients may use: NAME or NAME:PORT")
      ->allow_extra_args(false)
      ->type_name("NAME");
  serve->add_option("--allow-origin", options->allow_origins,
                    "A web page's origin that may use this server: https://app.example")
      ->allow_extra_args(false)
      ->type_name("ORIGIN");
  serve->add_option("--root", options->roots,
                    "A folder that the tools of /mcp may read (default: this one)")
      ->allow_extra_args(false)
      ->type_name("DIR");
  serve->add_option("--workers", options->workers, "Questions that climb at the same time")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
  serve->add_option("--queue", options->queue, "Questions that may wait; more get 429")
      ->type_name("N")
      ->check(CLI::Range(1, 100000));
  serve->add_option("--io-threads", options->io_threads, "Threads for connections (0: one a core)")
      ->type_name("N")
      ->check(CLI::Range(0, 256));
  serve->add_option("--max-connections", options->max_connections, "Connections at the same time")
      ->type_name("N")
      ->check(CLI::Range(1, 1000000));
  serve->add_option("--max-body-mb", options->max_body_mb, "Largest body of a request, in MiB")
      ->type_name("N")
      ->check(CLI::Range(1, 256));
  serve->add_option("--drain-seconds", options->drain_seconds,
                    "How long SIGTERM waits for what is under way")
      ->type_name("S")
      ->check(CLI::Range(0, 3600));
  serve->add_flag("--json", options->json, "Say where it listens as one JSON object");
  auto* detach = serve->add_flag("--detach", options->detach,
                                 "Start it in the background, and return when it is ready");
  auto* status = serve->add_flag("--status", options->status,
                                 "Show the server of yours that runs (exits with 1: none)");
  auto* stop = serve->add_flag("--stop", options->stop,
                               "End that server, and return when what is under way is finished");
  detach->excludes(status)->excludes(stop);
  status->excludes(stop);
  serve->add_flag("!--no-announce", options->announce, "Keep it from `ask` and `chat`")
      ->excludes(detach);
  add_switch(*serve, context, "--no-cache", "l1.cache", "false", "Neither use nor fill the cache");
  add_switch(*serve, context, "--no-offline", "offline", "false", "Allow the remote tier");
  add_setting(*serve, context, "--threads", "threads", "Processor threads (0: all)");
  serve->footer(
      "SIGTERM or Ctrl-C finishes what is under way, a second one ends it at once; SIGHUP reads\n"
      "configuration, keys and certificate again.\n"
      "Examples:\n"
      "  tinyarms serve\n"
      "  tinyarms serve --detach\n"
      "  tinyarms serve --stop\n"
      "  tinyarms serve --port 0 --json\n"
      "  tinyarms serve --host \"\" --socket ~/.tinyarms.sock\n"
      "  tinyarms serve --host 0.0.0.0 --tls-cert chain.pem --tls-key key.pem");
  serve->callback([options, &context] { run_serve(*options, context); });
}

}  // namespace tinyarms::cli
