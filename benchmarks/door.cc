// What the front door costs: a scripted engine asked directly, through `tinyarms serve` as its L4,
// and through other gateways, interleaved. The engine answers at once and stamps every frame of a
// stream with the time, so that what a gateway adds is the difference to asking directly.
//
// Peers, each left out where its variable is not set (docs/serve.md says how they are installed):
//   TINYARMS_BENCH_LITELLM  the program `litellm`
//   TINYARMS_BENCH_PORTKEY  start-server.js of @portkey-ai/gateway
#include <fmt/format.h>

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

// Whoever is asked, and how.
struct Way {
  std::string name;
  int port = 0;
  std::string path = "/v1/chat/completions";
  std::string headers = {};
  std::string model = "mock";
  std::unique_ptr<LocalServer> server = {};  // null: the engine itself
  int share = 1;  // of the requests, for those who take their time: one in so many
  bool streams = true;

  std::string request(std::string_view content, bool stream) const {
    return post_request(path, headers,
                        fmt::format(R"({{"model":"{}","messages":[{{"role":"user",)"
                                    R"("content":"{}"}}]{}}})",
                                    model, content, stream ? R"(,"stream":true)" : ""));
  }
};

Result<Way> open_ours(const Bench& bench, int engine, const std::filesystem::path& folder) {
  auto server = start_tinyarms(bench.options().program, engine, folder, {"--workers", "64"});
  if (!server) return server.error();
  Way way{.name = "ours", .port = (*server)->port(), .model = "l4"};
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
          .streams = false};
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

Result<std::vector<Way>> open_ways(const Bench& bench, int engine,
                                   const std::filesystem::path& folder) {
  std::vector<Way> ways;
  ways.push_back({.name = "direct", .port = engine});
  const auto add = [&](Result<Way> way) -> Result<void> {
    if (!way) return way.error();
    ways.push_back(std::move(*way));
    return {};
  };
  if (auto done = add(open_ours(bench, engine, folder)); !done) return done.error();
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

Result<void> measure_round(const Way& way, bool smoke, Rounds& rounds) {
  const auto note = [&](const std::string& what, double value) {
    rounds[what][way.name].push_back(value);
  };
  const int requests = (smoke ? 20 : 1000) / way.share;
  auto alone = run_load({.port = way.port,
                         .request = way.request("What is two and two?", false),
                         .connections = 1,
                         .requests = requests});
  if (!alone) return alone.error();
  note("alone-p50", 1e6 * quantile(alone->latencies, 0.5));
  note("alone-p99", 1e6 * quantile(alone->latencies, 0.99));
  auto crowd = run_load({.port = way.port,
                         .request = way.request("What is two and two?", false),
                         .connections = smoke ? 2 : 32,
                         .requests = requests * 4});
  if (!crowd) return crowd.error();
  note("crowd", 1e6 * crowd->seconds / static_cast<double>(crowd->latencies.size()));
  if (!way.streams) return {};
  const int streams = smoke ? 2 : 64;
  auto listening = run_load({.port = way.port,
                             .request = way.request("listen", true),
                             .connections = streams,
                             .requests = streams,
                             .stamp = ScriptedEngine::kStamp});
  if (!listening) return listening.error();
  if (listening->frame_delays.size() != static_cast<size_t>(streams * ScriptedEngine::kFrames)) {
    return Error{ErrorCode::Internal,
                 fmt::format("{} of {} frames came", listening->frame_delays.size(),
                             streams * ScriptedEngine::kFrames),
                 way.name, "ask it by hand to see why"};
  }
  note("frame-p50", 1e6 * quantile(listening->frame_delays, 0.5));
  note("frame-p99", 1e6 * quantile(listening->frame_delays, 0.99));
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
  const std::map<std::string, double> goals = {{"alone-p50", 150}, {"alone-p99", 150},
                                               {"crowd", 100}, {"frame-p50", 10},
                                               {"frame-p99", 10}};
  std::vector<Figure> figures;
  for (const auto& [what, by_way] : rounds) {
    // A crowd is a matter of throughput: the time of a request includes the engine's.
    const bool whole = what == "crowd";
    const auto values = [&](const std::string& who) {
      return whole ? by_way.at(who) : added(by_way, who);
    };
    const std::string name = whole ? "door/32-at-once/a-request" : "door/added/" + what;
    const std::vector<double> ours = values("ours");
    if (const auto goal = goals.find(what); goal != goals.end()) {
      figures.push_back({.name = name, .unit = "µs", .ours = median(ours), .goal = goal->second});
    }
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
Result<Figure> rule_answer(const Way& ours, bool smoke) {
  Way rules{.name = "rules", .port = ours.port, .model = "l0"};
  auto load = run_load({.port = rules.port,
                        .request = rules.request("What is 0xff in decimal?", false),
                        .connections = 1,
                        .requests = smoke ? 20 : 5000});
  if (!load) return load.error();
  return Figure{.name = "door/rule-answer/p99",
                .unit = "µs",
                .ours = 1e6 * quantile(load->latencies, 0.99),
                .goal = 1000};
}

Result<std::vector<Figure>> run(Bench& bench) {
  const auto folder = bench.options().cache / "door";
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  ScriptedEngine engine;
  auto engine_server = http::Server::start(http::ServerOptions(), engine);
  if (!engine_server) return engine_server.error();
  auto ways = open_ways(bench, (*engine_server)->port(), folder);
  if (!ways) return ways.error();
  std::vector<Figure> figures;
  for (const Way& way : *ways) {
    if (way.server == nullptr) continue;
    figures.push_back({.name = "door/idle-memory/" + way.name,
                       .unit = "MB",
                       .ours = static_cast<double>(way.server->resident_bytes()) / 1e6,
                       .goal = 20});
  }
  Rounds rounds;
  for (int round = 0; round < bench.rounds(); ++round) {
    for (const Way& way : *ways) {
      if (auto done = measure_round(way, bench.smoke(), rounds); !done) return done.error();
    }
  }
  const auto measured = figures_of(rounds, *ways);
  figures.insert(figures.end(), measured.begin(), measured.end());
  auto rule = rule_answer((*ways)[1], bench.smoke());
  if (!rule) return rule.error();
  figures.push_back(*rule);
  return figures;
}

const Registration registration("door", "what the server adds, against other gateways", run);

}  // namespace
}  // namespace tinyarms::bench
