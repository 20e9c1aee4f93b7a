// tinyarms serve: the cascade behind the APIs that editors and agents speak (docs/serve.md).
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/build_info.h"
#include "cli/context.h"
#include "door/door.h"
#include "door/encoders.h"
#include "door/page_routes.h"
#include "door/routes.h"
#include "http/server.h"
#include "mcp/service.h"
#include "service/assistant.h"

namespace tinyarms::cli {
namespace {

constexpr size_t kFiguresWaiting = 64;  // requests for what the page shows

struct ServeOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8421;
  std::string socket;
  std::string keys;  // a file; empty: the usual place
  std::string tls_cert;
  std::string tls_key;
  std::vector<std::string> allow_hosts;
  std::vector<std::string> allow_origins;
  std::vector<std::string> roots;  // of what /mcp may read
  int workers = 1;
  int io_threads = 0;
  size_t queue = 64;
  size_t max_connections = 8192;
  size_t max_body_mb = 16;
  double drain_seconds = 30;
  bool json = false;
};

std::filesystem::path keys_file(const std::string& given, const Context& context) {
  return given.empty() ? context.paths.config_file.parent_path() / "keys.json"
                       : std::filesystem::path(given);
}

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

Result<void> check(const ServeOptions& options, const door::KeyRing& keys) {
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    return Error{ErrorCode::InvalidArgument, "go together", "--tls-cert and --tls-key",
                 "give both or neither"};
  }
  if (options.host.empty() || http::is_loopback(options.host) || !keys.empty()) return {};
  return Error{ErrorCode::InvalidArgument,
               "others than this machine could ask without a key", options.host,
               "make one first: tinyarms keys add NAME"};
}

// Everything that serves, in the order in which it is made.
class Serving {
 public:
  Serving(const ServeOptions& options, Context& context, service::Settings settings,
          door::KeyRing keys, mcp::Roots roots)
      : options_(options),
        context_(context),
        settings_(settings),
        names_(context.paths.models_dir, context.clock),
        book_(context.paths, context.clock),
        climbs_(settings,
                {.paths = context.paths,
                 .clock = context.clock,
                 .physical_bytes = service::physical_memory()},
                {.workers = options.workers, .queue_max = options.queue}),
        encoders_(settings_, context.paths, options.queue),
        kitchen_{climbs_, encoders_, names_, settings_, context.clock, counts_,
                 fmt::format("tinyarms-{}", kVersion),
                 [this](const auto& request, const auto& reply, const auto& id) {
                   book_.note(request, reply, id);
                 }},
        door_(guard(), std::make_shared<const door::KeyRing>(std::move(keys)), context.clock) {
    door::add_openai_routes(door_, kitchen_);
    door::add_service_routes(door_, {kitchen_, climbs_,
                                     [this] { return server_ ? server_->counts()
                                                             : http::ServerCounts{}; },
                                     std::string(kVersion)});
    door::add_encoder_routes(door_, kitchen_);
    mcp_ = std::make_unique<mcp::Service>(kitchen_, context.paths, std::move(roots),
                                          std::string(kVersion));
    mcp_->add_routes(door_);
    door::add_page_routes(door_);
    door::add_figure_routes(door_, {book_, back_room_, settings_, context.paths, context.clock});
    door::add_openapi_route(door_, std::string(kVersion));
  }

  ~Serving() { mcp_->close(); }

  Result<void> start() {
    http::ServerOptions options{.address = options_.host,
                                .port = options_.port,
                                .socket = options_.socket,
                                .tls_certificate = options_.tls_cert,
                                .tls_key = options_.tls_key,
                                .threads = options_.io_threads,
                                .limits = {}};
    options.limits.connections_max = options_.max_connections;
    options.limits.body_bytes_max = options_.max_body_mb << 20;
    auto server = http::Server::start(options, door_);
    if (!server) return server.error();
    server_ = std::move(*server);
    door_.set_port(server_->port());
    return {};
  }

  uint16_t port() const { return server_->port(); }

  // All of it, or nothing where any part is wrong.
  Result<void> reload() {
    auto loaded = service::load_config(context_.sources);
    if (!loaded) return loaded.error();
    auto keys = door::KeyRing::load(keys_file(options_.keys, context_));
    if (!keys) return keys.error();
    if (auto allowed = check(options_, *keys); !allowed) return allowed.error();
    if (auto certificate = server_->reload_tls(); !certificate) return certificate.error();
    settings_.set(loaded->settings);
    climbs_.replace_settings(loaded->settings);
    door_.replace_keys(std::make_shared<const door::KeyRing>(std::move(*keys)));
    return {};
  }

  void drain() { server_->drain(options_.drain_seconds); }

 private:
  door::GuardOptions guard() const {
    return {.address = options_.host,
            .port = options_.port,
            .loopback = options_.host.empty() || http::is_loopback(options_.host),
            .encrypted = !options_.tls_cert.empty(),
            .hosts = options_.allow_hosts,
            .origins = options_.allow_origins};
  }

  const ServeOptions& options_;
  Context& context_;
  std::unique_ptr<mcp::Service> mcp_;  // goes last: calls under way point into it
  door::LiveSettings settings_;
  door::ModelNames names_;
  door::AnswerCounts counts_;
  service::DecisionBook book_;
  door::Climbs climbs_;
  door::Encoders encoders_;
  door::Kitchen kitchen_;
  door::BackRoom back_room_{kFiguresWaiting};
  door::Door door_;
  std::unique_ptr<http::Server> server_;
};

std::string base_url(const ServeOptions& options, uint16_t port) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", options.tls_cert.empty() ? "http" : "https", v6 ? "[" : "",
                     options.host, v6 ? "]" : "", port);
}

void announce(const ServeOptions& options, const Serving& serving, const Terminal& terminal) {
  const std::string url = options.host.empty() ? "" : base_url(options, serving.port());
  if (options.json) {
    const nlohmann::ordered_json json = {
        {"url", url}, {"port", serving.port()}, {"socket", options.socket}};
    terminal.out(json.dump() + "\n");
    return;
  }
  if (!url.empty()) {
    terminal.note(fmt::format("listening on {} (OpenAI base URL {}/v1, page {}/)", url, url, url));
  }
  if (!options.socket.empty()) terminal.note("listening on " + printable(options.socket));
}

void run_serve(const ServeOptions& options, Context& context) {
  const Signals signals;
  raise_descriptor_limit();
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  auto keys = door::KeyRing::load(keys_file(options.keys, context));
  if (!keys) return context.fail(keys.error(), options.json);
  if (auto allowed = check(options, *keys); !allowed) {
    return context.fail(allowed.error(), options.json);
  }
  auto roots = mcp::Roots::open(options.roots);
  if (!roots) return context.fail(roots.error(), options.json);
  const Terminal terminal = context.terminal(loaded->settings);
  Serving serving(options, context, loaded->settings, std::move(*keys), std::move(*roots));
  if (auto started = serving.start(); !started) return context.fail(started.error(), options.json);
  announce(options, serving, terminal);
  while (true) {
    const int which = signals.wait();
    if (which != SIGHUP) break;
    auto reloaded = serving.reload();
    terminal.note(reloaded ? "configuration read again"
                           : printable("the old configuration stays: " +
                                       reloaded.error().message()));
  }
  ::signal(SIGHUP, SIG_IGN);  // nothing is read again now
  signals.let_through();
  terminal.note("finishing what is under way; once more ends it at once");
  serving.drain();
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
      ->check(CLI::Range(1, 64));
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
  add_switch(*serve, context, "--no-cache", "l1.cache", "false", "Neither use nor fill the cache");
  add_switch(*serve, context, "--no-offline", "offline", "false", "Allow the remote tier");
  add_setting(*serve, context, "--threads", "threads", "Processor threads (0: all)");
  serve->footer(
      "SIGTERM or Ctrl-C finishes what is under way, a second one ends it at once; SIGHUP reads\n"
      "configuration, keys and certificate again.\n"
      "Examples:\n"
      "  tinyarms serve\n"
      "  tinyarms serve --port 0 --json\n"
      "  tinyarms serve --host \"\" --socket ~/.tinyarms.sock\n"
      "  tinyarms serve --host 0.0.0.0 --tls-cert chain.pem --tls-key key.pem");
  serve->callback([options, &context] { run_serve(*options, context); });
}

}  // namespace tinyarms::cli
