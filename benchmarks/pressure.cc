// The server under more than it can do: four times the questions that its workers can answer, and
// thousands of clients that send a byte a second.
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "bench.h"
#include "http_load.h"
#include "scripted_engine.h"
#include "tinyarms_server.h"

namespace tinyarms::bench {
namespace {

constexpr int kWorkers = 4;

std::string question(std::string_view model, std::string_view content) {
  return post_request("/v1/chat/completions", "",
                      fmt::format(R"({{"model":"{}","messages":[{{"role":"user",)"
                                  R"("content":"{}"}}]}})",
                                  model, content));
}

double per_second(const LoadResult& result) {
  return static_cast<double>(result.latencies.size()) / result.seconds;
}

Result<std::vector<Figure>> overload(const LocalServer& server, bool smoke) {
  const double capacity =
      kWorkers / std::chrono::duration<double>(ScriptedEngine::kAnswerPause).count();
  const double seconds = smoke ? 1 : 60;
  auto peak = run_load({.port = server.port(),
                        .request = question("l4", "wait"),
                        .connections = kWorkers,
                        .requests = static_cast<int>(capacity * (smoke ? 1 : 10))});
  if (!peak) return peak.error();
  constexpr int kClients = 128;
  const double offered = 4 * capacity;
  auto over = run_load({.port = server.port(),
                        .request = question("l4", "wait"),
                        .connections = kClients,
                        .requests = static_cast<int>(offered * seconds),
                        .pause_seconds = kClients / offered,
                        .may_refuse = true});
  if (!over) return over.error();
  if (over->refusals.empty()) {
    return Error{ErrorCode::Internal, "nothing was refused: there was no overload", "pressure", ""};
  }
  if (over->without_retry_after > 0) {
    return Error{ErrorCode::Internal,
                 fmt::format("{} refusals without Retry-After", over->without_retry_after),
                 "pressure", ""};
  }
  const double ratio = per_second(*over) / per_second(*peak);
  return std::vector<Figure>{
      {.name = "pressure/overload/answered",
       .unit = "1/s",
       .ours = per_second(*over),
       .peer = per_second(*peak),
       .ratio = ratio,
       .kind = Goal::RatioAtLeast,
       .goal = 0.9},
      {.name = "pressure/overload/refusal-p99",
       .unit = "ms",
       .ours = 1e3 * quantile(over->refusals, 0.99),
       .goal = 10},
      {.name = "pressure/overload/memory",
       .unit = "MB",
       .ours = static_cast<double>(server.resident_bytes()) / 1e6,
       .goal = 64}};
}

// Clients that are never done: half of them with their heads, half with their bodies.
class SlowClients {
 public:
  SlowClients(int port, int count) {
    sockaddr_in address = loopback_address(port);
    for (int i = 0; i < count; ++i) {
      const int one = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (one < 0) break;
      sockets_.push_back(one);
      if (::connect(one, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) break;
      const std::string begin = question("l0", "What is 0xff in decimal?");
      const size_t head = begin.find("\r\n\r\n") + 4;
      const size_t length = i % 2 == 0 ? 20 : head;
      connected_ += ::send(one, begin.data(), length, MSG_NOSIGNAL) > 0 ? 1 : 0;
    }
    trickle_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        for (const int one : sockets_) ::send(one, " ", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        for (int i = 0; i < 20 && !stop.stop_requested(); ++i) {
          std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
      }
    });
  }
  ~SlowClients() {
    trickle_ = std::jthread();
    for (const int one : sockets_) ::close(one);
  }
  SlowClients(const SlowClients&) = delete;
  SlowClients& operator=(const SlowClients&) = delete;

  int connected() const { return connected_; }

 private:
  std::vector<int> sockets_;
  int connected_ = 0;
  std::jthread trickle_;
};

Result<std::vector<Figure>> slow_clients(const LocalServer& server, bool smoke) {
  const int count = smoke ? 20 : 4000;
  const Load healthy{.port = server.port(),
                     .request = question("l0", "What is 0xff in decimal?"),
                     .connections = 2,
                     .requests = smoke ? 20 : 2000};
  std::vector<double> alone;
  std::vector<double> beside;
  std::vector<double> ratios;
  for (int round = 0; round < (smoke ? 1 : 3); ++round) {
    auto before = run_load(healthy);
    if (!before) return before.error();
    const SlowClients slow(server.port(), count);
    if (slow.connected() < count) {
      return Error{ErrorCode::Internal,
                   fmt::format("{} of {} slow clients were let in", slow.connected(), count),
                   "pressure", "raise the limit of open files (ulimit -n)"};
    }
    auto among = run_load(healthy);
    if (!among) return among.error();
    alone.push_back(1e3 * quantile(before->latencies, 0.99));
    beside.push_back(1e3 * quantile(among->latencies, 0.99));
    ratios.push_back(beside.back() / alone.back());
  }
  return std::vector<Figure>{{.name = fmt::format("pressure/{}-slow-clients/p99", count),
                              .unit = "ms",
                              .ours = median(beside),
                              .peer = median(alone),
                              .ratio = median(ratios),
                              .kind = Goal::RatioAtMost,
                              .goal = 2}};
}

Result<std::vector<Figure>> run(Bench& bench) {
  raise_file_limit();
  ScriptedEngine engine;
  auto engine_server = http::Server::start(http::ServerOptions(), engine);
  if (!engine_server) return engine_server.error();
  auto server = start_tinyarms(
      bench.options().program, (*engine_server)->port(), bench.options().cache / "pressure",
      {"--workers", std::to_string(kWorkers), "--queue", "8", "--max-connections", "8192"});
  if (!server) return server.error();
  auto figures = overload(**server, bench.smoke());
  if (!figures) return figures.error();
  auto slow = slow_clients(**server, bench.smoke());
  if (!slow) return slow.error();
  figures->insert(figures->end(), slow->begin(), slow->end());
  return figures;
}

const Registration registration("pressure", "the server under overload and slow clients", run);

}  // namespace
}  // namespace tinyarms::bench
