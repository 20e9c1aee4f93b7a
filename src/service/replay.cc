#include "service/replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "calibration/margin_trace.h"
#include "cascade/cascade.h"

namespace tinyarms::service {
namespace {

using cascade::Level;

// Time passes as the log says it did.
class LoggedClock final : public Clock {
 public:
  double monotonic_seconds() const override { return now; }
  double wall_seconds() const override { return now; }
  double now = 0;
};

// Of the margins of its tokens; empty where they were not recorded.
std::vector<uint8_t> recorded_steps(const cascade::Attempt& attempt) {
  const auto trace = attempt.evidence.text(cascade::signal::kMarginTrace);
  const auto steps = trace ? calibration::read_margin_steps(*trace) : std::nullopt;
  return steps.value_or(std::vector<uint8_t>());
}

class LoggedTier final : public cascade::Tier {
 public:
  LoggedTier(const ReplayStep& step, LoggedClock& clock, const tiers::EarlyAborts& early_aborts)
      : step_(step), clock_(clock), early_aborts_(early_aborts) {}
  Level level() const override { return step_.level; }
  std::string describe() const override { return step_.attempt.source; }
  std::optional<std::string> skip_reason(const cascade::Request&,
                                         const cascade::Trace&) const override {
    return std::nullopt;
  }
  Result<cascade::Attempt> attempt(const cascade::Request&, const cascade::Trace&, const StopFlag&,
                                   cascade::Listener&) override {
    clock_.now += step_.seconds;
    return step_.attempt;
  }
  Result<cascade::Attempt> attempt_within(const cascade::Outlook& outlook,
                                          const cascade::Request& request,
                                          const cascade::Trace& so_far, const StopFlag& stop,
                                          cascade::Listener& listener) override {
    Result<cascade::Attempt> made = attempt(request, so_far, stop, listener);
    if (!outlook.may_climb || !early_aborts_) return made;
    const auto watch = early_aborts_(step_.level, made->origin, outlook.threshold);
    const std::vector<uint8_t> steps = recorded_steps(*made);
    const auto after =
        watch.test ? calibration::stops_after(*watch.test, steps) : std::optional<size_t>();
    if (!after) return made;
    made->finish = cascade::Finish::Abandoned;
    made->reason = fmt::format("stopped after {} of {} tokens", *after, steps.size());
    made->cost.completion_tokens = static_cast<int64_t>(*after);
    made->evidence.set(cascade::signal::kStoppedEarly, true);
    return made;
  }

 private:
  const ReplayStep& step_;
  LoggedClock& clock_;
  const tiers::EarlyAborts& early_aborts_;
};

// Stands for all tiers that were not asked then.
class UnknownTier final : public cascade::Tier {
 public:
  UnknownTier(Level level, bool& reached) : level_(level), reached_(reached) {}
  Level level() const override { return level_; }
  std::string describe() const override { return "not in the log"; }
  std::optional<std::string> skip_reason(const cascade::Request&,
                                         const cascade::Trace&) const override {
    return std::nullopt;
  }
  Result<cascade::Attempt> attempt(const cascade::Request&, const cascade::Trace&, const StopFlag&,
                                   cascade::Listener&) override {
    reached_ = true;
    return cascade::Attempt::abstain("not in the log");
  }

 private:
  Level level_;
  bool& reached_;
};

Level above(Level level) {
  return level == Level::L4 ? Level::L4 : static_cast<Level>(static_cast<int>(level) + 1);
}

struct Climbed {
  cascade::Reply reply;
  bool beyond_log = false;
  double seconds = 0;
};

Climbed climb(const ReplayItem& item, const cascade::Policy& policy,
              const tiers::EarlyAborts& early_aborts) {
  Climbed climbed;
  LoggedClock clock;
  std::vector<std::unique_ptr<cascade::Tier>> tiers;
  for (const ReplayStep& step : item.steps) {
    tiers.push_back(std::make_unique<LoggedTier>(step, clock, early_aborts));
  }
  if (item.more_above && !item.steps.empty()) {
    tiers.push_back(
        std::make_unique<UnknownTier>(above(item.steps.back().level), climbed.beyond_log));
  }
  cascade::Cascade cascade(std::move(tiers), policy, clock);
  cascade::Request request;
  request.group = item.group;
  if (!item.question.empty()) request.messages = {{cascade::Role::User, item.question}};
  cascade::Listener quiet;
  const StopFlag stop;
  climbed.reply = cascade.run(request, stop, quiet);
  climbed.seconds = clock.now;
  return climbed;
}

std::optional<bool> outcome_of(const ReplayItem& item, std::optional<size_t> winner) {
  // No answer is not a right one; where somebody must answer, that is a wrong one.
  if (!winner) return false;
  return *winner < item.steps.size() ? item.steps[*winner].right : std::nullopt;
}

// The log's own choices held against those of the new climb, up to the first that differs.
calibration::WeighedDecision weigh(const ReplayItem& item, const Climbed& after) {
  calibration::WeighedDecision weighed;
  for (size_t i = 0; i < item.steps.size(); ++i) {
    const ReplayStep& then = item.steps[i];
    weighed.cost += then.seconds;
    if (!then.kept || weighed.weight == 0) continue;
    const bool reached = i < after.reply.trace.size();
    const cascade::Decision now =
        reached ? after.reply.trace[i].decision : cascade::Decision::Skip;
    const bool same = reached && (now == cascade::Decision::Accept) == *then.kept &&
                      now != cascade::Decision::Skip;
    if (same) {
      weighed.weight /= std::max(then.propensity, 1e-6);
    } else {
      weighed.weight = 0;
      weighed.supported = then.propensity < 1;
    }
  }
  if (auto right = outcome_of(item, item.winner)) weighed.right = *right ? 1.0 : 0.0;
  return weighed;
}

double logged_seconds(const ReplayItem& item) {
  double seconds = 0;
  for (const ReplayStep& step : item.steps) seconds += step.seconds;
  return seconds;
}

void count_given(const ReplayItem& item, std::optional<size_t> winner,
                 std::array<size_t, 5>& given) {
  if (winner && *winner < item.steps.size()) {
    ++given[static_cast<size_t>(item.steps[*winner].level)];
  }
}

// Steps of the climb and of the log stand side by side as far as the climb went.
void count_drafts(const ReplayItem& item, const Climbed& now, ReplayReport& report) {
  for (size_t i = 0; i < std::min(item.steps.size(), now.reply.trace.size()); ++i) {
    const cascade::Step& step = now.reply.trace[i];
    const size_t tokens = recorded_steps(step.attempt).size();
    if (tokens == 0 || item.steps[i].attempt.finish == cascade::Finish::Abandoned) continue;
    ++report.drafts_watched;
    report.tokens_watched += tokens;
    if (step.attempt.finish != cascade::Finish::Abandoned) continue;
    ++report.drafts_stopped;
    report.tokens_saved += tokens - static_cast<size_t>(step.attempt.cost.completion_tokens);
  }
}

void note_limits(const std::vector<ReplayItem>& items, const cascade::PolicyTerms& after,
                 ReplayReport& report) {
  const bool by_words = std::any_of(after.rules.begin(), after.rules.end(),
                                    [](const auto& rule) { return !rule.words.empty(); });
  const auto unread = static_cast<size_t>(std::count_if(
      items.begin(), items.end(), [](const ReplayItem& item) { return item.question.empty(); }));
  if (by_words && unread > 0) {
    report.notes.push_back(fmt::format(
        "rules by words did not apply to {} questions whose text was not kept (log.prompts)",
        unread));
  }
  const auto stopped = std::count_if(items.begin(), items.end(), [](const ReplayItem& item) {
    return std::any_of(item.steps.begin(), item.steps.end(), [](const ReplayStep& step) {
      return step.attempt.finish == cascade::Finish::Abandoned;
    });
  });
  if (stopped > 0) {
    report.notes.push_back(fmt::format(
        "in {} decisions a draft had been stopped early: what it would have become is not known, "
        "and no terms keep it",
        stopped));
  }
  if (report.fates.unknown > 0) {
    report.notes.push_back(fmt::format(
        "{} decisions have no known fate and are not in RESCUE, LOSS, SAFE, HARD; the figures "
        "hold for the others as long as outcomes are told without looking at the answer's tier",
        report.fates.unknown));
  }
}

}  // namespace

ReplayReport replay(const std::vector<ReplayItem>& items, const cascade::Estimator& estimator,
                    const cascade::PolicyTerms& before, const cascade::PolicyTerms& after,
                    const tiers::EarlyAborts& early_aborts) {
  // Chance has no part in a replay: the plan itself is judged.
  const auto plain = [](cascade::PolicyTerms terms) {
    terms.explore = 0;
    return terms;
  };
  const cascade::DeclaredPolicy before_policy(estimator, plain(before));
  const cascade::DeclaredPolicy after_policy(estimator, plain(after));
  ReplayReport report;
  report.decisions = items.size();
  std::vector<calibration::WeighedDecision> weighed;
  size_t within = 0;
  for (const ReplayItem& item : items) {
    const bool decided = std::any_of(item.steps.begin(), item.steps.end(),
                                     [](const ReplayStep& step) { return step.kept.has_value(); });
    std::optional<size_t> winner = item.winner;
    double seconds = logged_seconds(item);
    if (!decided) {
      const Climbed then = climb(item, before_policy, early_aborts);
      winner = then.reply.winner;
      seconds = then.seconds;
    }
    const Climbed now = climb(item, after_policy, early_aborts);
    count_drafts(item, now, report);
    if (decided) weighed.push_back(weigh(item, now));
    if (now.beyond_log) {
      ++report.beyond_log;
      ++report.changed;
      ++report.fates.unknown;
      continue;
    }
    ++within;
    count_given(item, winner, report.given_before);
    count_given(item, now.reply.winner, report.given_after);
    report.seconds_before += seconds;
    report.seconds_after += now.seconds;
    report.changed += winner != now.reply.winner ? 1 : 0;
    report.fates.count(outcome_of(item, winner), outcome_of(item, now.reply.winner));
  }
  if (within > 0) {
    report.seconds_before /= static_cast<double>(within);
    report.seconds_after /= static_cast<double>(within);
  }
  const calibration::Fates& fates = report.fates;
  if (fates.known() > 0) {
    const auto known = static_cast<double>(fates.known());
    report.accuracy_before = static_cast<double>(fates.safe + fates.loss) / known;
    report.accuracy_after = static_cast<double>(fates.safe + fates.rescue) / known;
    report.before_interval =
        calibration::clopper_pearson({fates.safe + fates.loss, fates.known()}, 0.95);
    report.after_interval =
        calibration::clopper_pearson({fates.safe + fates.rescue, fates.known()}, 0.95);
  }
  if (!weighed.empty()) report.off_policy = calibration::estimate_off_policy(weighed, {}, {});
  note_limits(items, after, report);
  return report;
}

}  // namespace tinyarms::service
