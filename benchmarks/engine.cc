// Many answers at once through the scheduler, against llama.cpp's own server with as many slots and
// threads on the same file; and what the prefix cache saves on the second turn of a conversation.
// Rounds of both alternate. Both give every answer the same number of tokens.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "base/clock.h"
#include "bench.h"
#include "engine/scheduler/scheduler.h"
#include "engine/snapshots/snapshot_memory.h"
#include "llama_server.h"
#include "model.h"
#include "scheduler_answer.h"

namespace tinyarms::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr uint64_t kCopiedBytes = 1'000'000'000;  // as prefix.memory_limit has it

struct Measured {
  double tokens_per_second = 0;
  std::vector<double> first;    // seconds to the first token
  std::vector<double> between;  // seconds between tokens
};

Measured summarise(const std::vector<Arrivals>& streams, double seconds) {
  Measured measured;
  size_t tokens = 0;
  for (const Arrivals& arrivals : streams) {
    tokens += arrivals.size();
    measured.first.push_back(arrivals.front());
    for (size_t i = 1; i < arrivals.size(); ++i) {
      measured.between.push_back(arrivals[i] - arrivals[i - 1]);
    }
  }
  measured.tokens_per_second = static_cast<double>(tokens) / seconds;
  return measured;
}

std::string question(int stream, int round) {
  std::string text = fmt::format("Round {}, listener {}. Tell a long story about: ", round, stream);
  for (int i = 0; i < 40; ++i) text += fmt::format("{} ", (stream * 131 + round * 17 + i * 7) % 97);
  return text;
}

// One thread a stream; `ask` returns when the tokens of its answer came.
template <typename Ask>
Result<Measured> together(int streams, Ask ask) {
  std::vector<Arrivals> arrivals(static_cast<size_t>(streams));
  std::vector<std::thread> threads;
  const auto start = SteadyClock::now();
  for (int i = 0; i < streams; ++i) {
    threads.emplace_back([&, i] { arrivals[static_cast<size_t>(i)] = ask(i); });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  if (std::any_of(arrivals.begin(), arrivals.end(), [](const auto& a) { return a.empty(); })) {
    return Error{ErrorCode::Internal, "a stream gave no answer", "engine", ""};
  }
  return summarise(arrivals, seconds);
}

Figure figure(std::string name, std::string unit, const std::vector<double>& ours,
              const std::vector<double>& peers, Goal kind) {
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / peers[i]);
  return Figure{.name = std::move(name),
                .unit = std::move(unit),
                .ours = median(ours),
                .peer = median(peers),
                .ratio = median(ratios),
                .kind = kind,
                .goal = 1.0};
}

Result<void> compare(Bench& bench, Model& model, const engine::LanguageModel& weights, int streams,
                     std::vector<Figure>& figures) {
  const int tokens = bench.smoke() ? 8 : 64;
  const int context = 1024 * streams;
  engine::CoreBudget cores(bench.options().threads);
  const SystemClock clock;
  engine::SnapshotMemory copies(kCopiedBytes, clock);
  auto scheduler = engine::Scheduler::create(
      weights, cores, {.context_tokens = 1024, .parallel = static_cast<uint32_t>(streams),
                       .kv_tokens = static_cast<uint32_t>(context),
                       .snapshots = {.memory = &copies},
                       .model_stamp = "measured"});
  if (!scheduler) return scheduler.error();
  auto server = LlamaServer::start({.program = bench.options().deps / "llama/bin/llama-server",
                                    .file = model.file(),
                                    .threads = cores.cores(),
                                    .parallel = streams,
                                    .context = context});
  if (!server) return server.error();
  std::map<std::string, std::pair<std::vector<double>, std::vector<double>>> rows;
  for (int round = 0; round < bench.rounds() + 1; ++round) {
    auto ours = together(streams, [&](int i) {
      auto answer = ask_scheduler(**scheduler, {{"user", question(i, round)}}, tokens);
      return answer ? std::move(answer->arrivals) : Arrivals();
    });
    auto peer = together(streams, [&](int i) {
      auto arrivals = (*server)->ask(
          fmt::format(R"([{{"role":"user","content":"{}"}}])", question(i, round)), tokens);
      return arrivals ? *arrivals : Arrivals();
    });
    if (!ours) return ours.error();
    if (!peer) return peer.error();
    if (round == 0) continue;  // warm-up of both
    const auto add = [&](const std::string& name, double our, double their) {
      rows[name].first.push_back(our);
      rows[name].second.push_back(their);
    };
    add("tokens", ours->tokens_per_second, peer->tokens_per_second);
    add("first-p50", 1e3 * quantile(ours->first, 0.5), 1e3 * quantile(peer->first, 0.5));
    add("between-p50", 1e3 * quantile(ours->between, 0.5), 1e3 * quantile(peer->between, 0.5));
    add("between-p99", 1e3 * quantile(ours->between, 0.99), 1e3 * quantile(peer->between, 0.99));
  }
  for (const auto& [name, values] : rows) {
    const bool rate = name == "tokens";
    figures.push_back(figure(fmt::format("engine/{}-streams/{}", streams, name),
                             rate ? "tokens/s" : "ms", values.first, values.second,
                             rate ? Goal::RatioAtLeast : Goal::RatioAtMost));
  }
  return {};
}

// The second turn of a conversation of about a thousand tokens, cold and after the first.
Result<Figure> second_turn(Bench& bench, const engine::LanguageModel& weights) {
  std::vector<double> warm;
  std::vector<double> cold;
  engine::CoreBudget cores(bench.options().threads);
  for (int round = 0; round < bench.rounds(); ++round) {
    auto scheduler = engine::Scheduler::create(weights, cores, {.context_tokens = 2048});
    if (!scheduler) return scheduler.error();
    engine::CompletionRequest request;
    std::string text = fmt::format("Round {}. ", round);
    for (int i = 0; i < (bench.smoke() ? 20 : 330); ++i) text += fmt::format("{} and ", i * 7 % 89);
    request.messages = {{"user", text}};
    request.tokens_max = 16;
    const auto ask = [&](const std::string& scope) -> Result<engine::Completion> {
      request.scope = scope;
      auto stream = (*scheduler)->submit(request);
      if (!stream) return stream.error();
      return (*stream)->result();
    };
    auto first = ask("");
    if (!first) return first.error();
    request.messages.push_back({"assistant", first->text});
    request.messages.push_back({"user", "Go on."});
    auto second = ask("");
    auto anew = ask("a scope that holds nothing");
    if (!second || !anew) return second ? anew.error() : second.error();
    warm.push_back(1e3 * second->prefill_seconds);
    cold.push_back(1e3 * anew->prefill_seconds);
  }
  Figure turn = figure("engine/second-turn/first-token", "ms", warm, cold, Goal::RatioAtMost);
  turn.goal = bench.smoke() ? 1e9 : 0.1;
  return turn;
}

Result<std::vector<Figure>> run(Bench& bench) {
  auto model = bench.small_model();
  if (!model) return model.error();
  auto weights = engine::LanguageModel::load((*model)->file());
  if (!weights) return weights.error();
  std::vector<Figure> figures;
  for (const int streams : bench.smoke() ? std::vector<int>{2} : std::vector<int>{1, 2, 4, 8}) {
    if (auto done = compare(bench, **model, **weights, streams, figures); !done) {
      return done.error();
    }
  }
  auto turn = second_turn(bench, **weights);
  if (!turn) return turn.error();
  figures.push_back(*turn);
  return figures;
}

const Registration registration("engine", "many answers at once, against llama-server", run);

}  // namespace
}  // namespace tinyarms::bench
