#include "cli/serving.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "cli/answerer.h"
#include "cli/build_info.h"
#include "cli/cost_terms.h"
#include "cli/serve_control.h"
#include "door/encoders.h"
#include "door/own_routes.h"
#include "door/page_routes.h"
#include "door/routes.h"
#include "http/server.h"
#include "mcp/service.h"
#include "service/assistant.h"
#include "service/footing.h"
#include "service/trace_export.h"

namespace tinyarms::cli {
namespace {

constexpr size_t kFiguresWaiting = 64;  // requests for what the page shows

std::string base_url(const ServeOptions& options, uint16_t port) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", options.tls_cert.empty() ? "http" : "https", v6 ? "[" : "",
                     options.host, v6 ? "]" : "", port);
}

}  // namespace

Result<void> check_serving(const ServeOptions& options, const door::KeyRing& keys) {
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    return Error{ErrorCode::InvalidArgument, "go together", "--tls-cert and --tls-key",
                 "give both or neither"};
  }
  if (options.host.empty() || http::is_loopback(options.host) || !keys.empty()) return {};
  return Error{ErrorCode::InvalidArgument,
               "others than this machine could ask without a key", options.host,
               "make one first: tinyarms keys add NAME"};
}

Result<door::KeyRing> load_keys(const ServeOptions& options, const Context& context) {
  return door::KeyRing::load(options.keys.empty()
                                 ? context.paths.config_file.parent_path() / "keys.json"
                                 : std::filesystem::path(options.keys));
}

// In the order in which it is made.
struct Serving::Parts {
  Parts(const ServeOptions& options, Context& context, const service::LoadedConfig& config,
        door::KeyRing keys, mcp::Roots roots)
      : options_(options),
        context_(context),
        settings_(config.settings),
        traces_(context.sources.environment, std::string(kVersion)),
        footing_shared_(std::make_shared<const service::Footing>(footing(config))),
        names_(context.paths.models_dir, context.clock),
        book_(context.paths, context.clock),
        climbs_(config.settings,
                {.paths = context.paths,
                 .clock = context.clock,
                 .physical_bytes = service::physical_memory(),
                 .traces = &traces_,
                 .prices = price_list(context),
                 .on_notice =
                     [terminal = context.terminal(config.settings)](const std::string& line) {
                       terminal.note(printable("note: " + line));
                     }},
                {.workers = options.workers, .queue_max = options.queue}),
        encoders_(settings_, context.paths, options.queue, [this] { return climbs_.models(); }),
        kitchen_{climbs_, encoders_, names_, settings_, context.clock, counts_,
                 fmt::format("tinyarms-{}", kVersion),
                 [this](const auto& request, const auto& reply, const auto& id) {
                   book_.note(request, reply, id);
                 },
                 &traces_},
        door_(guard(), std::make_shared<const door::KeyRing>(std::move(keys)), context.clock) {
    door::add_openai_routes(door_, kitchen_);
    door::add_service_routes(door_, {kitchen_, climbs_,
                                     [this] {
                                       const http::Server* server = listening_;
                                       return server != nullptr ? server->counts()
                                                                : http::ServerCounts{};
                                     },
                                     std::string(kVersion),
                                     &traces_});
    door::add_encoder_routes(door_, kitchen_);
    mcp_ = std::make_unique<mcp::Service>(kitchen_, context.paths, std::move(roots),
                                          std::string(kVersion));
    mcp_->add_routes(door_);
    door::add_page_routes(door_);
    door::add_figure_routes(door_, {book_, back_room_, settings_, context.paths, context.clock});
    door::add_own_routes(door_, {.kitchen = kitchen_,
                                 .footing = [this] { return footing_now(); },
                                 .facts = [this] { return facts(); },
                                 .stop = [this] {
                                   if (!stopping_.test_and_set()) ::kill(::getpid(), SIGTERM);
                                 }});
    door::add_openapi_route(door_, std::string(kVersion));
  }

  ~Parts() { mcp_->close(); }

  Result<void> start(std::unique_ptr<resident::Announcement> announcement) {
    announcement_ = std::move(announcement);
    if (auto configured = traces_.configure(*settings_.get()); !configured) {
      return configured.error();
    }
    http::ServerOptions options{.address = options_.host,
                                .port = options_.port,
                                .socket = options_.socket,
                                .own_socket = announcement_ ? announcement_->socket()
                                                            : std::filesystem::path(),
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
    listening_ = server_.get();
    return {};
  }

  nlohmann::ordered_json facts() const {
    const door::ClimbCounts climbs = climbs_.counts();
    const http::Server* server = listening_;
    const uint16_t port = server != nullptr ? server->port() : 0;
    return {{"url", port == 0 ? "" : base_url(options_, port)},
            {"port", port},
            {"socket", options_.socket},
            {"version", kVersion},
            {"announced", announcement_ != nullptr},
            {"since", started_},
            {"waiting", climbs.waiting},
            {"running", climbs.running},
            {"log", options_.detach ? serve_log(context_.paths).string() : ""}};
  }

  Result<void> reload() {
    auto loaded = service::load_config(context_.sources);
    if (!loaded) return loaded.error();
    auto keys = load_keys(options_, context_);
    if (!keys) return keys.error();
    if (auto allowed = check_serving(options_, *keys); !allowed) return allowed.error();
    if (auto certificate = server_->reload_tls(); !certificate) return certificate.error();
    if (auto traced = traces_.configure(loaded->settings); !traced) return traced.error();
    // In between, no program of this user is answered: neither footing holds then.
    stand_on({});
    // The models first: who sees the new settings takes the models that go with them, once.
    climbs_.replace_settings(loaded->settings);
    settings_.set(loaded->settings);
    encoders_.settings_changed();
    stand_on(footing(*loaded));
    door_.replace_keys(std::make_shared<const door::KeyRing>(std::move(*keys)));
    return {};
  }

  void drain() {
    server_->drain(options_.drain_seconds);
    traces_.finish();
  }

  door::GuardOptions guard() const {
    return {.address = options_.host,
            .port = options_.port,
            .loopback = options_.host.empty() || http::is_loopback(options_.host),
            .encrypted = !options_.tls_cert.empty(),
            .hosts = options_.allow_hosts,
            .origins = options_.allow_origins};
  }

  service::Footing footing(const service::LoadedConfig& config) const {
    return service::footing_of(config, context_.paths, context_.sources.environment,
                               program_name());
  }
  std::shared_ptr<const service::Footing> footing_now() const {
    const std::lock_guard lock(footing_mutex_);
    return footing_shared_;
  }
  void stand_on(service::Footing footing) {
    auto next = std::make_shared<const service::Footing>(std::move(footing));
    const std::lock_guard lock(footing_mutex_);
    footing_shared_ = std::move(next);
  }

  const ServeOptions& options_;
  Context& context_;
  std::unique_ptr<mcp::Service> mcp_;  // goes last: calls under way point into it
  const double started_ = context_.clock.wall_seconds();
  std::unique_ptr<resident::Announcement> announcement_;  // outlives the server
  door::LiveSettings settings_;
  service::TraceExport traces_;  // outlives whoever tells it of climbs
  mutable std::mutex footing_mutex_;
  std::shared_ptr<const service::Footing> footing_shared_;
  door::ModelNames names_;
  door::AnswerCounts counts_;
  service::DecisionBook book_;
  door::Climbs climbs_;
  door::Encoders encoders_;
  door::Kitchen kitchen_;
  door::BackRoom back_room_{kFiguresWaiting};
  door::Door door_;
  std::atomic_flag stopping_;  // asked to, once: a second signal would end it at once
  // The server, for routes: one may be asked before start() has it.
  std::atomic<const http::Server*> listening_{nullptr};
  std::unique_ptr<http::Server> server_;
};

Serving::Serving(const ServeOptions& options, Context& context,
                 const service::LoadedConfig& config, door::KeyRing keys, mcp::Roots roots)
    : parts_(std::make_unique<Parts>(options, context, config, std::move(keys),
                                     std::move(roots))) {}

Serving::~Serving() = default;

Result<void> Serving::start(std::unique_ptr<resident::Announcement> announcement) {
  return parts_->start(std::move(announcement));
}

Result<void> Serving::reload() { return parts_->reload(); }

void Serving::drain() { parts_->drain(); }

nlohmann::ordered_json Serving::facts() const { return parts_->facts(); }

}  // namespace tinyarms::cli
