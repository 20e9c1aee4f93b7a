#include <fmt/format.h>

#include <cmath>

#include "telemetry/usage_report.h"

namespace tinyarms::telemetry {
namespace {

std::string share_text(size_t part, size_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.0f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string duration(double seconds) {
  if (seconds < 0.001) return fmt::format("{:.0f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string time_of(const Seconds& seconds, double value) {
  return seconds.count == 0 ? "-" : duration(value);
}

std::string tiers_text(const Totals& totals) {
  std::string text = fmt::format("{:4} {:>7} {:>6} {:>7} {:>7} {:>7} {:>7} {:>8} {:>8} {:>9}\n",
                                 "tier", "replies", "share", "asked", "kept", "passed", "failed",
                                 "p50", "p95", "tokens");
  for (size_t i = 0; i < kTiers; ++i) {
    const TierUsage& tier = totals.tiers[i];
    if (tier.asked == 0) continue;
    text += fmt::format("{:4} {:>7} {:>6} {:>7} {:>7} {:>7} {:>7} {:>8} {:>8} {:>9}\n",
                        tier_name(i), tier.given, share_text(tier.given, totals.answered),
                        tier.asked, share_text(tier.kept, tier.answered), tier.escalated,
                        tier.failed, time_of(tier.seconds, tier.seconds.p50),
                        time_of(tier.seconds, tier.seconds.p95), tier.tokens);
  }
  return text;
}

std::string stopped_text(const Totals& totals) {
  std::string text;
  for (size_t i = 0; i < kTiers; ++i) {
    const TierUsage& tier = totals.tiers[i];
    if (tier.stopped_early == 0) continue;
    text += fmt::format("stopped early  {} of {} drafts of {} ({})\n", tier.stopped_early,
                        tier.answered, tier_name(i), share_text(tier.stopped_early, tier.answered));
  }
  return text;
}

std::string intents_text(const Usage& usage) {
  std::string text = fmt::format("\n{:14} {:>7}", "intent", "asked");
  for (size_t i = 0; i < kTiers; ++i) text += fmt::format(" {:>6}", tier_name(i));
  text += fmt::format(" {:>8} {:>8} {:>8}\n", "climbed", "p50", "p95");
  for (const auto& [name, totals] : usage.intents) {
    text += fmt::format("{:14} {:>7}", name.empty() ? "(not known)" : name, totals.decisions);
    for (const TierUsage& tier : totals.tiers) {
      text += fmt::format(" {:>6}", share_text(tier.given, totals.decisions));
    }
    text += fmt::format(" {:>8} {:>8} {:>8}\n", share_text(totals.escalated, totals.decisions),
                        time_of(totals.seconds, totals.seconds.p50),
                        time_of(totals.seconds, totals.seconds.p95));
  }
  return text;
}

std::string savings_text(const std::optional<Savings>& savings) {
  if (!savings) return "savings        no model was asked, so there is nothing to compare with\n";
  const double saved = savings->seconds_always - savings->seconds_spent;
  return fmt::format(
      "savings        {}{} against always asking {} (spent {}, always {}: {} answers of {} took "
      "{} on average);\n               {} replies without asking it\n",
      saved < 0 ? "-" : "", duration(std::abs(saved)), tier_name(savings->tier),
      duration(savings->seconds_spent), duration(savings->seconds_always), savings->tier_answers,
      tier_name(savings->tier), duration(savings->tier_seconds), savings->calls_avoided);
}

}  // namespace

std::string usage_text(const Usage& usage, const std::vector<Advice>& advice) {
  const Totals& all = usage.all;
  const size_t hits = all.cache_exact + all.cache_similar;
  std::string text = fmt::format("{} decisions: {} answered, {} of them surely, {} unanswered\n\n",
                                 all.decisions, all.answered, all.sure,
                                 all.decisions - all.answered);
  text += tiers_text(all);
  text += intents_text(usage);
  text += fmt::format("\nlatency        p50 {}, p95 {} a question\n",
                      time_of(all.seconds, all.seconds.p50), time_of(all.seconds, all.seconds.p95));
  text += fmt::format("cache          {} hits ({}): {} exact, {} similar\n", hits,
                      share_text(hits, all.decisions), all.cache_exact, all.cache_similar);
  text += fmt::format("escalations    {} of {} questions ({})\n", all.escalated, all.decisions,
                      share_text(all.escalated, all.decisions));
  text += stopped_text(all);
  text += savings_text(usage.savings);
  for (const Advice& one : advice) text += "\n! " + one.text + "\n";
  return text;
}

}  // namespace tinyarms::telemetry
