#include "calibration/early_abort.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calibration/certificate.h"
#include "calibration/random.h"
#include "calibration/training_set.h"

namespace tinyarms::calibration {
namespace {

using Kind = MarginTest::Kind;

constexpr size_t kEarlyAbortFolds = 5;
constexpr uint64_t kEarlyAbortSeed = 23;
// Few, since each costs confidence: those that rank SmolLM2's drafts best (docs/early-abort.md).
// The cusum's allowance is a margin of 0.75.
constexpr MarginTest kMarginTests[] = {
    {Kind::Window, 16, 1}, {Kind::Window, 32, 1}, {Kind::Cusum, 16, 1}};

uint64_t tokens_saved(std::span<const WatchedAnswer> answers, const MarginTest& test) {
  uint64_t saved = 0;
  for (const WatchedAnswer& answer : answers) {
    if (const auto after = stops_after(test, answer.steps)) saved += answer.steps.size() - *after;
  }
  return saved;
}

std::vector<WatchedAnswer> written(std::span<const WatchedAnswer> answers) {
  std::vector<WatchedAnswer> watched;
  std::copy_if(answers.begin(), answers.end(), std::back_inserter(watched),
               [](const WatchedAnswer& answer) { return !answer.steps.empty(); });
  return watched;
}

// The boundary of one test, by its part of what may go wrong.
std::optional<EarlyAbortFit> certify_test(std::span<const WatchedAnswer> watched, MarginTest test,
                                          const EarlyAbortTarget& target, double delta) {
  std::vector<Scored> peaks;
  for (const WatchedAnswer& answer : watched) {
    peaks.push_back({.score = static_cast<double>(peak_of(test, answer.steps)),
                     .outcome = answer.lost() ? 0.0 : 1.0});
  }
  const auto certified = certify(peaks, {.alpha = target.lost_max, .delta = delta});
  if (!certified) return std::nullopt;
  const double boundary = std::ceil(certified->threshold);
  if (!(boundary >= 1) || boundary > kBoundaryMax) return std::nullopt;  // it would stop any draft
  test.boundary = static_cast<int>(boundary);
  return EarlyAbortFit{.test = test,
                       .target = target,
                       .watched = watched.size(),
                       .stopped = certified->kept,
                       .lost = certified->wrong,
                       .bound = certified->bound};
}

// Resampled answers: the share of tokens saved and the change of accuracy, each round.
struct Resampled {
  std::vector<double> saved{};
  std::vector<double> change{};
};

struct AnswerEffect {
  double tokens = 0;
  double saved = 0;
  double change = 0;  // of being right
};

Resampled resample(const std::vector<AnswerEffect>& effects, const BootstrapOptions& options) {
  Resampled rounds;
  Random random(options.seed);
  std::vector<size_t> drawn;
  const size_t count = std::min(effects.size(), options.records_max);
  for (size_t round = 0; round < options.resamples && count > 0; ++round) {
    draw_sorted(random, effects.size(), count, drawn);
    AnswerEffect sum;
    for (const size_t i : drawn) {
      sum.tokens += effects[i].tokens;
      sum.saved += effects[i].saved;
      sum.change += effects[i].change;
    }
    rounds.saved.push_back(sum.tokens > 0 ? sum.saved / sum.tokens : std::nan(""));
    rounds.change.push_back(sum.change / static_cast<double>(count));
  }
  return rounds;
}

// `stops`: after how many tokens each answer is ended, where it is.
EarlyAbortOutcome outcome_of(std::span<const WatchedAnswer> answers,
                             std::span<const std::optional<size_t>> stops,
                             const BootstrapOptions& options) {
  EarlyAbortOutcome outcome;
  outcome.answers = answers.size();
  std::vector<AnswerEffect> effects;
  for (size_t i = 0; i < answers.size(); ++i) {
    const WatchedAnswer& answer = answers[i];
    const size_t tokens = answer.steps.size();
    const size_t saved = stops[i] ? tokens - *stops[i] : 0;
    const bool before = answer.kept ? answer.right : answer.right_above;
    const bool after = stops[i] ? answer.right_above : before;
    outcome.watched += tokens > 0 ? 1 : 0;
    outcome.stopped += stops[i] ? 1 : 0;
    outcome.lost += stops[i] && answer.lost() ? 1 : 0;
    outcome.tokens += tokens;
    outcome.saved += saved;
    outcome.accuracy_before += before ? 1 : 0;
    outcome.accuracy_after += after ? 1 : 0;
    effects.push_back({static_cast<double>(tokens), static_cast<double>(saved),
                       static_cast<double>(after) - static_cast<double>(before)});
  }
  if (answers.empty()) return outcome;
  outcome.accuracy_before /= static_cast<double>(answers.size());
  outcome.accuracy_after /= static_cast<double>(answers.size());
  outcome.lost_share = clopper_pearson({outcome.lost, outcome.stopped}, options.confidence);
  Resampled rounds = resample(effects, options);
  const double scale =
      std::sqrt(static_cast<double>(std::min(answers.size(), options.records_max)) /
                static_cast<double>(answers.size()));
  const double share = outcome.tokens > 0 ? static_cast<double>(outcome.saved) /
                                                static_cast<double>(outcome.tokens)
                                          : std::nan("");
  outcome.saved_share = bootstrap_interval(share, rounds.saved, scale, options.confidence);
  outcome.accuracy_change =
      bootstrap_interval(outcome.accuracy_after - outcome.accuracy_before, rounds.change, scale,
                         options.confidence);
  return outcome;
}

}  // namespace

std::string promise_text(const EarlyAbortTarget& target) {
  return fmt::format("of such drafts at most {:.3g} % would have been right and kept, with "
                     "confidence {:.3g} %",
                     100 * target.lost_max, 100 * target.confidence);
}

EarlyAbortChoice fit_early_abort(std::span<const WatchedAnswer> answers,
                                 const EarlyAbortTarget& target) {
  const std::vector<WatchedAnswer> watched = written(answers);
  if (watched.empty()) {
    return {.why_not = "no record has the margins of its tokens (margin_trace): bench it again, on "
                       "tasks whose answers are written"};
  }
  const double delta = 1 - target.confidence;
  const auto lost = static_cast<uint64_t>(std::count_if(
      watched.begin(), watched.end(), [](const WatchedAnswer& one) { return one.lost(); }));
  const Count all{lost, watched.size()};
  if (clopper_pearson_upper(all, delta) <= target.lost_max) {
    return {.why_not = fmt::format("of all {} drafts only {} are right and kept: every one of them "
                                   "could be stopped, so that the tier is not worth asking",
                                   watched.size(), lost)};
  }
  EarlyAbortChoice choice;
  uint64_t best = 0;
  for (const MarginTest& test : kMarginTests) {
    auto fit = certify_test(watched, test, target, delta / std::size(kMarginTests));
    if (!fit) continue;
    const uint64_t saved = tokens_saved(watched, fit->test);
    if (saved <= best) continue;  // of equals the first, which is the shorter window
    best = saved;
    choice.fit = fit;
  }
  if (!choice.fit) {
    choice.why_not = fmt::format(
        "no test stops drafts of which at most {:.3g} % are right and kept, as far as {} drafts "
        "with {} such can show with confidence {:.3g} %",
        100 * target.lost_max, watched.size(), lost, 100 * target.confidence);
  }
  return choice;
}

EarlyAbortOutcome replay_early_abort(std::span<const WatchedAnswer> answers, const MarginTest& test,
                                     const BootstrapOptions& options) {
  std::vector<std::optional<size_t>> stops;
  for (const WatchedAnswer& answer : answers) stops.push_back(stops_after(test, answer.steps));
  return outcome_of(answers, stops, options);
}

HeldOutEarlyAbort held_out_early_abort(std::span<const WatchedAnswer> answers,
                                       const EarlyAbortTarget& target,
                                       const BootstrapOptions& options) {
  HeldOutEarlyAbort held_out{.folds = kEarlyAbortFolds};
  std::vector<std::optional<size_t>> stops(answers.size());
  for (size_t fold = 0; fold < kEarlyAbortFolds; ++fold) {
    const auto inside = [&](const WatchedAnswer& answer) {
      return fold_of(answer.key, kEarlyAbortFolds, kEarlyAbortSeed) == fold;
    };
    std::vector<WatchedAnswer> others;
    std::copy_if(answers.begin(), answers.end(), std::back_inserter(others),
                 [&](const WatchedAnswer& answer) { return !inside(answer); });
    const EarlyAbortChoice choice = fit_early_abort(others, target);
    if (!choice.fit) continue;
    ++held_out.fitted;
    for (size_t i = 0; i < answers.size(); ++i) {
      if (inside(answers[i])) stops[i] = stops_after(choice.fit->test, answers[i].steps);
    }
  }
  held_out.outcome = outcome_of(answers, stops, options);
  return held_out;
}

}  // namespace tinyarms::calibration
