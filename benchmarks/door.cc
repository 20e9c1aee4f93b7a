// What the front door costs: a scripted engine asked directly, through `tinyarms serve` as its L4,
// and through other gateways, interleaved. The engine answers at once and stamps every frame of a
// stream with the time, so that what a gateway adds is the difference to asking directly.
//
// Peers, each left out where it is not there (docs/serve.md says how they are installed):
//   nginx                   of the path; passes bytes on and knows nothing of them: the raw floor
//   TINYARMS_BENCH_LITELLM  the program `litellm`
//   TINYARMS_BENCH_PORTKEY  start-server.js of @portkey-ai/gateway
//   TINYARMS_BENCH_BEFORE   another build of `tinyarms`, to see what a change changed
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/file.h"
#include "bench.h"
#include "http/server.h"
#include "http_load.h"
#include "local_server.h"
#include "scripted_engine.h"
#include "tinyarms_server.h"

namespace tinyarms::bench {
namespace {

constexpr int kWorkers = 512;
constexpr double kStreamsBegin = 0.5;  // seconds over which they do: clients are not in step

// Whoever is asked, and how.
struct Way {
  std::string name;
  int port = 0;
  std::string path = "/v1/chat/completions";
  std::string headers = {};
  std::string model = "mock";
  std::unique_ptr<LocalServer> server = {};  // null: the engine itself
  int share = 1;  // of the requests, for those who take their time: one in so many
  int streams = 512;  // at once

  std::string request(std::string_view content, bool stream) const {
    return post_request(path, headers,
                        fmt::format(R"({{"model":"{}","messages":[{{"role":"user",)"
                                    R"("content":"{}"}}]{}}})",
                                    model, content, stream ? R"(,"stream":true)" : ""));
  }
};

Result<Way> open_ours(std::string name, const std::filesystem::path& program, int engine,
                      const std::filesystem::path& folder, int workers) {
  auto server = start_tinyarms(program, engine, folder / name,
                               {"--workers", std::to_string(workers), "--queue", "512"});
  if (!server) return server.error();
  Way way{.name = std::move(name), .port = (*server)->port(), .model = "l4"};
  way.server = std::move(*server);
  return way;
}

Result<Way> open_nginx(const std::string& program, int engine,
                       const std::filesystem::path& folder) {
  const auto home = folder / "nginx";
  std::error_code problem;
  std::filesystem::create_directories(home, problem);
  Way way{.name = "nginx", .port = free_port()};
  const std::string text = fmt::format(
      "{}worker_processes 1;\npid {}/pid;\nerror_log {}/error.log;\n"
      "events {{ worker_connections 4096; }}\n"
      "http {{\n  access_log off;\n  client_body_temp_path {}/body;\n  proxy_temp_path {}/proxy;\n"
      "  fastcgi_temp_path {}/f;\n  uwsgi_temp_path {}/u;\n  scgi_temp_path {}/s;\n"
      "  upstream engine {{ server 127.0.0.1:{}; keepalive 512; }}\n"
      "  server {{\n    listen 127.0.0.1:{};\n    location /health {{ return 200; }}\n"
      "    location / {{\n      proxy_pass http://engine;\n      proxy_http_version 1.1;\n"
      "      proxy_set_header Connection \"\";\n      proxy_buffering off;\n    }}\n  }}\n}}\n",
      ::geteuid() == 0 ? "user root;\n" : "", home.string(), home.string(), home.string(),
      home.string(), home.string(), home.string(), home.string(), engine, way.port);
  const auto config = home / "nginx.conf";
  if (auto written = write_file_atomically(config, text); !written) return written.error();
  auto server = LocalServer::start(
      {.command = {program, "-c", config.string(), "-p", home.string(), "-g", "daemon off;"},
       .environment = {},
       .port = way.port,
       .ready_path = "/health",
       .hint = "run it by hand to see why"});
  if (!server) return server.error();
  way.server = std::move(*server);
  return way;
}

Result<Way> open_litellm(const char* program, int engine, const std::filesystem::path& folder) {
  const auto config = folder / "litellm.yaml";
  const std::string text = fmt::format(
      "model_list:\n  - model_name: mock\n    litellm_params:\n      model: openai/mock\n"
      "      api_base: http://127.0.0.1:{}/v1\n      api_key: none\n",
      engine);
  if (auto written = write_file_atomically(config, text); !written) return written.error();
  Way way{.name = "litellm", .port = free_port(), .share = 10};
  auto server = LocalServer::start(
      {.command = {program, "--config", config.string(), "--host", "127.0.0.1", "--port",
                   std::to_string(way.port)},
       .environment = {{"LITELLM_LOCAL_MODEL_COST_MAP", "True"},
                       {"LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY", "true"},
                       {"HOME", folder.string()}},
       .port = way.port,
       .ready_path = "/health/liveliness",
       .hint = "run it by hand to see why"});
  if (!server) return server.error();
  way.server = std::move(*server);
  return way;
}

Result<Way> open_portkey(const char* script, int engine) {
  Way way{.name = "portkey",
          .port = free_port(),
          .headers = fmt::format("x-portkey-provider: openai\r\nAuthorization: Bearer none\r\n"
                                 "x-portkey-custom-host: http://127.0.0.1:{}/v1\r\n",
                                 engine),
          .share = 2,
          // 1.15.2 answers every stream with 500 under Node's own fetch ("immutable" headers).
          .streams = 0};
  auto server = LocalServer::start(
      {.command = {"node", script, fmt::format("--port={}", way.port), "--headless"},
       .environment = {{"TRUSTED_CUSTOM_HOSTS", "localhost,127.0.0.1"}},
       .port = way.port,
       .ready_path = "/",
       .hint = "run it by hand to see why"});
  if (!server) return server.error();
  way.server = std::move(*server);
  return way;
}

// Where Debian has it, which is on no user's path.
std::optional<std::string> find_nginx() {
  for (const char* place : {"/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"}) {
    if (::access(place, X_OK) == 0) return place;
  }
  return std::nullopt;
}

Result<std::vector<Way>> open_ways(const Bench& bench, int engine,
                                   const std::filesystem::path& folder) {
  std::vector<Way> ways;
  ways.push_back({.name = "direct", .port = engine});
  const auto add = [&](Result<Way> way) -> Result<void> {
    if (!way) return way.error();
    ways.push_back(std::move(*way));
    return {};
  };
  const auto ours = [&](std::string name, const std::filesystem::path& program, int workers) {
    return add(open_ours(std::move(name), program, engine, folder, workers));
  };
  if (auto done = ours("ours", bench.options().program, kWorkers); !done) return done.error();
  if (const char* program = std::getenv("TINYARMS_BENCH_BEFORE")) {
    if (auto done = ours("before", program, 64); !done) return done.error();
    ways.back().streams = 64;  // what a build of then could do
  }
  if (const auto program = find_nginx()) {
    if (auto done = add(open_nginx(*program, engine, folder)); !done) return done.error();
  } else {
    fmt::print(stderr, "SKIPPED: the raw floor: no nginx here (Debian: nginx-light)\n");
  }
  if (const char* program = std::getenv("TINYARMS_BENCH_LITELLM")) {
    if (auto done = add(open_litellm(program, engine, folder)); !done) return done.error();
  }
  if (const char* script = std::getenv("TINYARMS_BENCH_PORTKEY")) {
    if (auto done = add(open_portkey(script, engine)); !done) return done.error();
  }
  return ways;
}

// measure → who → a value a round.
using Rounds = std::map<std::string, std::map<std::string, std::vector<double>>>;

// One load on one way, and what it cost the server: "<what>/cpu" is processor time, which others on
// the machine disturb less than they do the clock.
class Measuring {
 public:
  Measuring(const Way& way, Rounds& rounds) : way_(way), rounds_(rounds) {}

  void note(const std::string& what, double seconds) {
    rounds_[what][way_.name].push_back(1e6 * seconds);
  }

  Result<LoadResult> load(const std::string& what, const Load& load, double units) {
    const double before = way_.server ? way_.server->processor_seconds() : 0;
    auto result = run_load(load);
    if (result && way_.server) {
      note(what + "/cpu", (way_.server->processor_seconds() - before) / units);
    }
    return result;
  }

 private:
  const Way& way_;
  Rounds& rounds_;
};

Result<void> measure_streams(const Way& way, int streams, const std::string& what,
                             Measuring& measuring) {
  const int frames = streams * ScriptedEngine::kFrames;
  auto listening = measuring.load(what,
                                  {.port = way.port,
                                   .request = way.request("listen", true),
                                   .connections = streams,
                                   .requests = streams,
                                   .stamp = ScriptedEngine::kStamp,
                                   .pause_seconds = kStreamsBegin},
                                  frames);
  if (!listening) return listening.error();
  if (listening->frame_delays.size() != static_cast<size_t>(frames)) {
    return Error{ErrorCode::Internal,
                 fmt::format("{} of {} frames came", listening->frame_delays.size(), frames),
                 way.name, "ask it by hand to see why"};
  }
  measuring.note(what + "/p50", quantile(listening->frame_delays, 0.5));
  measuring.note(what + "/p99", quantile(listening->frame_delays, 0.99));
  return {};
}

Result<void> measure_round(const Way& way, bool smoke, Rounds& rounds) {
  Measuring measuring(way, rounds);
  const int requests = (smoke ? 20 : 1000) / way.share;
  auto alone = measuring.load("alone",
                              {.port = way.port,
                               .request = way.request("What is two and two?", false),
                               .connections = 1,
                               .requests = requests},
                              requests);
  if (!alone) return alone.error();
  measuring.note("alone/p50", quantile(alone->latencies, 0.5));
  measuring.note("alone/p99", quantile(alone->latencies, 0.99));
  auto crowd = measuring.load("32-at-once",
                              {.port = way.port,
                               .request = way.request("What is two and two?", false),
                               .connections = smoke ? 2 : 32,
                               .requests = requests * 4},
                              requests * 4);
  if (!crowd) return crowd.error();
  measuring.note("32-at-once/a-request",
                 crowd->seconds / static_cast<double>(crowd->latencies.size()));
  for (const int streams : {64, 512}) {
    if (streams > way.streams) continue;
    const std::string what = fmt::format("frame-of-{}", streams);
    if (auto done = measure_streams(way, smoke ? streams / 32 : streams, what, measuring); !done) {
      return done;
    }
  }
  return {};
}

// What `who` adds to asking directly, a value a round.
std::vector<double> added(const std::map<std::string, std::vector<double>>& by_way,
                          const std::string& who) {
  std::vector<double> values = by_way.at(who);
  const std::vector<double>& direct = by_way.at("direct");
  for (size_t i = 0; i < values.size(); ++i) values[i] -= direct[i];
  return values;
}

std::vector<Figure> figures_of(const Rounds& rounds, const std::vector<Way>& ways) {
  const std::map<std::string, double> goals = {
      {"alone/p50", 150},       {"alone/p99", 150},       {"32-at-once/a-request", 100},
      {"frame-of-64/p50", 10},  {"frame-of-64/p99", 10},  {"frame-of-512/p50", 10},
      {"frame-of-512/p99", 10}, {"alone/cpu", 150},       {"32-at-once/cpu", 100},
      {"frame-of-64/cpu", 50},  {"frame-of-512/cpu", 50}, {"rule-answer/p50", 1000},
      {"rule-answer/p99", 1000}, {"rule-answer/cpu", 1000}};
  std::vector<Figure> figures;
  for (const auto& [what, by_way] : rounds) {
    // Throughput includes the engine's time; and only servers of their own have a processor's.
    const bool whole = !by_way.contains("direct") || what == "32-at-once/a-request";
    const auto values = [&](const std::string& who) {
      return whole ? by_way.at(who) : added(by_way, who);
    };
    const std::string name = (whole ? "door/" : "door/added/") + what;
    const std::vector<double> ours = values("ours");
    figures.push_back(
        {.name = name, .unit = "µs", .ours = median(ours), .goal = goals.at(what)});
    for (const Way& way : ways) {
      if (way.name == "ours" || (way.name == "direct" && !whole)) continue;
      if (!by_way.contains(way.name)) continue;
      const std::vector<double> peer = values(way.name);
      std::vector<double> ratios;
      for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / peer[i]);
      figures.push_back({.name = name + "/" + way.name,
                         .unit = "µs",
                         .ours = median(ours),
                         .peer = median(peer),
                         .ratio = median(ratios),
                         .kind = Goal::RatioAtMost,
                         .goal = 1});
    }
  }
  return figures;
}

// An answer of the rules, through HTTP.
Result<void> measure_rules(const Way& way, bool smoke, Rounds& rounds) {
  Measuring measuring(way, rounds);
  const Way rules{.name = way.name, .port = way.port, .model = "l0"};
  const int requests = smoke ? 20 : 1000;
  auto load = measuring.load("rule-answer",
                             {.port = way.port,
                              .request = rules.request("What is 0xff in decimal?", false),
                              .connections = 1,
                              .requests = requests},
                             requests);
  if (!load) return load.error();
  measuring.note("rule-answer/p50", quantile(load->latencies, 0.5));
  measuring.note("rule-answer/p99", quantile(load->latencies, 0.99));
  return {};
}

Figure memory_figure(std::string name, const LocalServer& server, double goal) {
  return {.name = "door/memory/" + std::move(name),
          .unit = "MB",
          .ours = static_cast<double>(server.resident_bytes()) / 1e6,
          .goal = goal};
}

// What workers cost that nobody has asked anything of yet.
Result<std::vector<Figure>> idle_memory(const Bench& bench, int engine,
                                        const std::filesystem::path& folder) {
  std::vector<Figure> figures;
  for (const int workers : {1, 64, kWorkers}) {
    auto way = open_ours("idle", bench.options().program, engine, folder, workers);
    if (!way) return way.error();
    figures.push_back(memory_figure(fmt::format("idle-{}-workers", workers), *way->server, 20));
  }
  return figures;
}

Result<std::vector<Figure>> run(Bench& bench) {
  raise_file_limit();
  const auto folder = bench.options().cache / "door";
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  ScriptedEngine engine;
  auto engine_server = http::Server::start(http::ServerOptions(), engine);
  if (!engine_server) return engine_server.error();
  const int engine_port = (*engine_server)->port();
  auto idle = idle_memory(bench, engine_port, folder);
  if (!idle) return idle.error();
  std::vector<Figure> figures = std::move(*idle);
  auto ways = open_ways(bench, engine_port, folder);
  if (!ways) return ways.error();
  for (const Way& way : *ways) {
    if (way.server && way.name != "ours") {
      figures.push_back(memory_figure("idle-" + way.name, *way.server, 20));
    }
  }
  Rounds rounds;
  for (int round = 0; round < bench.rounds(); ++round) {
    for (const Way& way : *ways) {
      if (auto done = measure_round(way, bench.smoke(), rounds); !done) return done.error();
      if (way.model != "l4") continue;
      if (auto done = measure_rules(way, bench.smoke(), rounds); !done) return done.error();
    }
  }
  const Way& ours = (*ways)[1];
  figures.push_back(memory_figure("after-512-streams", *ours.server, 128));
  const auto measured = figures_of(rounds, *ways);
  figures.insert(figures.end(), measured.begin(), measured.end());
  return figures;
}

const Registration registration("door", "what the server adds, against other gateways", run);

}  // namespace
}  // namespace tinyarms::bench
