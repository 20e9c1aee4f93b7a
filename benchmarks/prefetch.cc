// L3 reads the question while L2 writes (escalation.prefetch), against L3 that waits for its turn:
// the time to L3's first token where the question climbs, and what it costs L2 where it climbs and
// where L2's answer is kept. L2 is the default model, L3 has the exact shape of a 3B model. Both
// ways take turns, question by question; drafts are off, so that nothing else shortens the climb.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/clock.h"
#include "bench.h"
#include "cascade/cascade.h"
#include "cascade/declared_policy.h"
#include "cascade/formula_estimator.h"
#include "model.h"
#include "tiers/language_tier.h"

namespace tinyarms::bench {
namespace {

using cascade::Level;

constexpr uint32_t kContext = 1024;
constexpr double kMilliseconds = 1e3;
constexpr uint64_t kMemory = uint64_t{64} << 30;  // no limit

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

// L2 and L3 of one process, asked in turn.
class Ladder {
 public:
  // `prefetcher`: what L3 begins with; null: it waits.
  Ladder(tiers::ModelShelf& shelf, const Model& small, const Model& large,
         tiers::Prefetcher* prefetcher, const Clock& clock)
      : policy_(estimator_, {}) {
    std::vector<std::unique_ptr<cascade::Tier>> tiers;
    for (const auto& [level, model] : {std::pair(Level::L2, &small), {Level::L3, &large}}) {
      tiers::ModelRef ref;
      ref.name = model->name();
      ref.path = model->file();
      tiers.push_back(std::make_unique<tiers::LanguageTier>(
          tiers::LanguageTierOptions{.level = level,
                                     .model = ref,
                                     .context_tokens = kContext,
                                     .system_prompt = {},
                                     .prefetcher = prefetcher},
          shelf));
    }
    cascade_.emplace(std::move(tiers), policy_, clock,
                     cascade::Headstarts{.climbs = prefetcher == nullptr ? nullptr : &climbs_,
                                         .always = true});
  }
  cascade::Reply ask(const cascade::Request& request, UntilTheFirst& listener) {
    return cascade_->run(request, listener.stop, listener);
  }

 private:
  cascade::FormulaEstimator estimator_;
  cascade::ClimbMemory climbs_;
  cascade::DeclaredPolicy policy_;
  std::optional<cascade::Cascade> cascade_;
};

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
Result<void> ask(Ladder& ladder, int number, int tokens_max, bool climbs, bool ahead,
                 Series& series) {
  cascade::Request request;
  request.sampling.tokens_max = tokens_max;
  request.level_thresholds[Level::L2] = climbs ? 1 : 0;
  request.messages.push_back({cascade::Role::User, question(number, climbs)});
  UntilTheFirst listener;
  const cascade::Reply reply = ladder.ask(request, listener);
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

Result<std::vector<Figure>> run(Bench& bench) {
  auto small = bench.small_model();
  if (!small) return small.error();
  auto large = bench.large_model();
  if (!large) return large.error();
  const SystemClock clock;
  tiers::EngineLoader loader(bench.options().threads);
  tiers::ModelShelf shelf(loader, clock, kMemory);
  tiers::Prefetcher prefetcher(shelf, clock);
  Ladder ahead(shelf, **small, **large, &prefetcher, clock);
  Ladder waiting(shelf, **small, **large, nullptr, clock);
  const int tokens_max = bench.smoke() ? 16 : 96;
  Series of_ahead;
  Series of_waiting;
  int number = 0;
  for (int round = 0; round <= bench.rounds(); ++round) {
    if (round == 1) of_ahead = of_waiting = {};  // what was loaded stays
    for (const bool climbs : {true, false}) {
      // Whoever is first in one round is second in the next.
      for (const bool first : {round % 2 == 0, round % 2 != 0}) {
        auto done = first ? ask(ahead, ++number, tokens_max, climbs, true, of_ahead)
                          : ask(waiting, ++number, tokens_max, climbs, false, of_waiting);
        if (!done) return done.error();
      }
    }
  }
  return figures_of(of_ahead, of_waiting, bench.smoke());
}

const Registration registration("prefetch", "L3 reads while L2 writes, against waiting", run);

}  // namespace
}  // namespace tinyarms::bench
