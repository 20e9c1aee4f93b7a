// What many decisions add up to: who answered, how long it took, what was climbed for nothing and
// what was saved. Pure computation; `tinyarms stats` and the page show the same numbers.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "telemetry/counted.h"

namespace tinyarms::telemetry {

// Quantiles interpolate between order statistics (type 7 of Hyndman and Fan 1996).
struct Seconds {
  size_t count = 0;
  double total = 0;
  double mean = 0;
  double p50 = 0;
  double p95 = 0;
};
Seconds summary_of(std::vector<double> seconds);

struct TierUsage {
  size_t asked = 0;      // every verdict but skip
  size_t answered = 0;
  size_t kept = 0;       // of the answered: sure enough
  size_t escalated = 0;  // of the answered: not sure enough, and the next tier was asked
  size_t stopped_early = 0;  // of the escalated: drafts given up while they were written
  size_t abstained = 0;
  size_t failed = 0;
  size_t given = 0;      // replies that came from it, sure or not
  Seconds seconds{};     // of asking it
  int64_t tokens = 0;
  size_t judged = 0;     // answers with a confidence
  double confidence_mean = 0;  // of those
  size_t calibrated = 0;       // of those
  size_t good = 0;       // outcomes told
  size_t bad = 0;
  std::map<std::string, size_t> sources{};  // answers by model, rule or cache
};

struct Totals {
  size_t decisions = 0;
  size_t answered = 0;   // a reply was given
  size_t sure = 0;       // and the policy accepted it
  size_t escalated = 0;  // decisions in which a model's answer was not kept
  size_t cache_exact = 0;
  size_t cache_similar = 0;
  Seconds seconds{};     // of whole climbs
  double question_bytes = 0;  // of all questions together
  std::array<TierUsage, kTiers> tiers{};
};

// Against asking the largest tier every time. Estimated from the times at which it was asked: a
// tier of models (l2 and up) that answered at least once.
struct Savings {
  size_t tier = 0;
  size_t tier_answers = 0;    // that the estimate rests on
  double tier_seconds = 0;    // mean of those
  size_t calls_avoided = 0;   // replies without asking it
  double seconds_spent = 0;   // by all climbs that were answered
  double seconds_always = 0;  // had each asked that tier alone
};

// Of the time between `from` and the next one.
struct Moment {
  double from = 0;
  std::array<size_t, kTiers> given{};
  size_t unanswered = 0;
  size_t escalated = 0;
  double seconds_p50 = 0;
};

struct Usage {
  double since = 0;  // seconds since 1970 UTC: the first decision's time, or what was asked for
  double until = 0;
  Totals all{};
  std::map<std::string, Totals> intents{};  // "" where the kind was not known
  std::optional<Savings> savings{};
  size_t asked_again = 0;  // the same question, answered by a model although it had been before
};

Usage usage_of(std::span<const Counted> decisions, double since, double until);

// `count` moments of equal length from `since` to `until`; other decisions are left out.
std::vector<Moment> timeline(std::span<const Counted> decisions, double since, double until,
                             size_t count);

}  // namespace tinyarms::telemetry
