// L3 reads the question while L2 writes (escalation.prefetch), against L3 that waits for its turn:
// the time to L3's first token where the question climbs, and what it costs L2 where it climbs and
// where L2's answer is kept. L2 is the default model, L3 has the exact shape of a 3B model. Both
// ways take turns, question by question; drafts are off, so that nothing else shortens the climb.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "bench.h"
#include "model.h"
#include "service/assistant.h"

namespace tinyarms::bench {
namespace {

namespace fs = std::filesystem;
using cascade::Level;

constexpr double kMilliseconds = 1e3;

// What was seen of one way of climbing.
struct Series {
  std::vector<double> first;        // ms to L3's first token
  std::vector<double> kept;         // ms to L2's whole answer, where it is kept
  std::vector<double> climbing_rate;  // tokens/s of L2 where the question climbs
  std::vector<double> kept_rate;      // and where its answer is kept
};

// Ends the climb at L3's first token: the rest of its answer is not looked at.
class UntilTheFirst final : public cascade::Listener {
 public:
  void prompt_counted(Level level, int64_t) override {
    if (level == Level::L3) stop.raise();
  }
  StopFlag stop;
};

service::Settings settings_for(const Bench& bench, const Model& small, const Model& large,
                               service::Toggle prefetch) {
  service::Settings settings;
  settings.threads = bench.options().threads;
  settings.l0.enabled = false;
  settings.l1.enabled = false;
  settings.l2.model = small.file().string();
  settings.l3.model = large.file().string();
  settings.l2.context = settings.l3.context = 1024;
  settings.sampling.max_tokens = bench.smoke() ? 16 : 96;
  settings.escalation.speculate = service::Toggle::Off;
  settings.escalation.lookup = service::Toggle::Off;
  settings.escalation.prefetch = prefetch;
  return settings;
}

// Some 250 tokens, none of them alike from the first on.
std::string question(int number, bool climbs) {
  std::string text = fmt::format("{} {}. Tell a long story about: ", number,
                                 climbs ? "goes up" : "stays");
  for (int i = 0; i < 60; ++i) text += fmt::format("{} ", (number * 131 + i * 37) % 997);
  return text;
}

Error unexpected(const std::string& what) {
  return Error{ErrorCode::Internal, what, "prefetch", ""};
}

double rate_of(const cascade::Cost& cost) {
  return static_cast<double>(std::max<int64_t>(cost.completion_tokens - 1, 1)) /
         std::max(cost.decode_seconds, 1e-9);
}

// One question. `ahead`: whether L3 is to have begun.
Result<void> ask(service::Assistant& assistant, const service::Settings& settings, int number,
                 bool climbs, bool ahead, Series& series) {
  cascade::Request request = service::make_request(settings);
  request.level_thresholds[Level::L2] = climbs ? 1 : 0;
  request.messages.push_back({cascade::Role::User, question(number, climbs)});
  UntilTheFirst listener;
  const cascade::Reply reply = assistant.ask(request, listener.stop, listener);
  double below = 0;
  bool begun = false;
  for (const cascade::Step& step : reply.trace) {
    begun = begun || step.headstart.has_value();
    const cascade::Cost& cost = step.attempt.cost;
    if (step.decision == cascade::Decision::Fail) return unexpected(step.reason);
    if (step.level == Level::L2) {
      (climbs ? series.climbing_rate : series.kept_rate).push_back(rate_of(cost));
    }
    if (step.level == Level::L3 && climbs) {
      const double own = cost.load_seconds + cost.prefill_seconds;
      series.first.push_back((below + own) * kMilliseconds);
    }
    below += step.seconds;
  }
  if (!climbs) series.kept.push_back(below * kMilliseconds);
  if (begun != ahead) return unexpected("L3 began where it should not have, or did not");
  if (climbs && series.first.empty()) return unexpected("the question did not climb");
  return {};
}

Figure figure(const std::string& name, const std::string& unit, double ours, double peer,
              Goal kind, double goal) {
  return {.name = "prefetch/" + name,
          .unit = unit,
          .ours = ours,
          .peer = peer,
          .ratio = ours / peer,
          .kind = kind,
          .goal = goal};
}

// Where nothing is known better: no worse than without.
std::vector<Figure> figures_of(const Series& ahead, const Series& waiting, bool smoke) {
  const double at_most = smoke ? 1e9 : 1;
  const double at_least = smoke ? 1e-9 : 0.9;
  return {figure("escalated/first-token-p50", "ms", quantile(ahead.first, 0.5),
                 quantile(waiting.first, 0.5), Goal::RatioAtMost, at_most),
          figure("escalated/first-token-p95", "ms", quantile(ahead.first, 0.95),
                 quantile(waiting.first, 0.95), Goal::RatioAtMost, at_most),
          figure("escalated/l2-decode", "tokens/s", median(ahead.climbing_rate),
                 median(waiting.climbing_rate), Goal::RatioAtLeast, at_least),
          figure("kept/answer-p50", "ms", quantile(ahead.kept, 0.5), quantile(waiting.kept, 0.5),
                 Goal::RatioAtMost, smoke ? at_most : 1 / at_least),
          figure("kept/answer-p95", "ms", quantile(ahead.kept, 0.95),
                 quantile(waiting.kept, 0.95), Goal::RatioAtMost, smoke ? at_most : 1 / at_least),
          figure("kept/l2-decode", "tokens/s", median(ahead.kept_rate),
                 median(waiting.kept_rate), Goal::RatioAtLeast, at_least)};
}

Result<std::vector<Figure>> measure(Bench& bench, const service::Surroundings& around) {
  auto small = bench.small_model();
  if (!small) return small.error();
  auto large = bench.large_model();
  if (!large) return large.error();
  const auto with = settings_for(bench, **small, **large, service::Toggle::On);
  const auto without = settings_for(bench, **small, **large, service::Toggle::Off);
  service::Assistant ahead(with, around);
  service::Assistant waiting(without, around);
  Series of_ahead;
  Series of_waiting;
  int number = 0;
  for (int round = 0; round <= 2 * bench.rounds(); ++round) {
    if (round == 1) of_ahead = of_waiting = {};  // what is loaded stays
    for (const bool climbs : {true, false}) {
      // Whoever is first in one round is second in the next.
      for (const bool first : {round % 2 == 0, round % 2 != 0}) {
        auto done = first ? ask(ahead, with, ++number, climbs, true, of_ahead)
                          : ask(waiting, without, ++number, climbs, false, of_waiting);
        if (!done) return done.error();
      }
    }
  }
  return figures_of(of_ahead, of_waiting, bench.smoke());
}

Result<std::vector<Figure>> run(Bench& bench) {
  const fs::path home = fs::temp_directory_path() / fmt::format("tinyarms-ahead-{}", ::getpid());
  Paths paths;
  paths.config_file = home / "config.toml";
  paths.cache_dir = home / "cache";
  paths.data_dir = home / "data";
  paths.models_dir = home / "models";
  const SystemClock clock;
  auto figures = measure(
      bench, {.paths = paths, .clock = clock, .physical_bytes = service::physical_memory()});
  std::error_code ignored;
  fs::remove_all(home, ignored);
  return figures;
}

const Registration registration("prefetch", "L3 reads while L2 writes, against waiting", run);

}  // namespace
}  // namespace tinyarms::bench
