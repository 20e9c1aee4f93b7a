// tinyarms stats: what the logged decisions add up to, and what that suggests.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "cli/cost_terms.h"
#include "service/judgement.h"
#include "service/reply_json.h"
#include "storage/decision_log.h"
#include "telemetry/period.h"
#include "telemetry/query_cost_report.h"
#include "telemetry/usage_report.h"

namespace tinyarms::cli {
namespace {

constexpr int64_t kCountedMax = 300'000;  // some 200 MB

struct StatsOptions {
  std::string log;
  std::string since;
  std::string api;
  bool json = false;
};

struct ReadDecisions {
  std::vector<telemetry::Counted> decisions;
  double since = 0;
  double until = 0;
  bool limited = false;  // there may be more than were read
};

Result<ReadDecisions> read_decisions(const StatsOptions& options, const Context& context) {
  ReadDecisions made{.decisions = {}, .until = context.clock.wall_seconds()};
  if (!options.since.empty()) {
    auto seconds = telemetry::parse_period(options.since);
    if (!seconds) return seconds.error();
    made.since = made.until - *seconds;
  }
  const std::filesystem::path own = service::decision_log_path(context.paths);
  std::error_code ignored;
  if (options.log.empty() && !std::filesystem::exists(own, ignored)) {
    made.since = made.since > 0 ? made.since : made.until;
    return made;  // nothing was logged yet: that is an answer too
  }
  // A file that was named must be a log already; our own may only just be in the making.
  auto log = options.log.empty() ? storage::DecisionLog::open(own, context.clock)
                                 : storage::DecisionLog::open_existing(options.log, context.clock);
  if (!log) return log.error();
  auto read = (*log)->read(
      [&](const storage::LoggedDecision& one) -> Result<void> {
        if (context.stop.raised()) return Error{ErrorCode::Interrupted, "interrupted", "", ""};
        made.decisions.push_back(telemetry::counted(one));
        return {};
      },
      {.since = made.since, .newest = kCountedMax});
  if (!read) return read.error();
  made.limited = made.decisions.size() >= static_cast<size_t>(kCountedMax);
  if (options.since.empty()) {
    made.since = made.decisions.empty() ? made.until : made.decisions.front().at;
  }
  return made;
}

nlohmann::ordered_json budget_json(const std::optional<storage::DaySpending>& day, double limit) {
  if (!day) return nullptr;
  return {{"day", day->day},
          {"spent", day->spent},
          {"held", day->held},
          {"limit", limit},
          {"questions", day->questions}};
}

void run_stats(const StatsOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  auto terms = cost_terms(loaded->settings, options.api, context);
  if (!terms) return context.fail(terms.error(), options.json);
  auto today = spending_today(loaded->settings, context);
  if (!today) return context.fail(today.error(), options.json);
  const double budget = loaded->settings.l4.budget_per_day;
  auto read = read_decisions(options, context);
  if (!read) return context.fail(read.error(), options.json);
  const auto usage = telemetry::usage_of(read->decisions, read->since, read->until);
  const auto advice = telemetry::advice_of(usage, read->decisions);
  const auto costs = telemetry::query_costs(usage, *terms);
  const Terminal terminal = context.terminal(loaded->settings);
  if (options.json) {
    nlohmann::ordered_json json = telemetry::usage_json(usage, advice);
    json["limited"] = read->limited;
    json["logged"] = loaded->settings.log.decisions;
    json["cost"] = telemetry::cost_json(costs, *terms);
    json["budget"] = budget_json(*today, budget);
    json["outcomes"] = telemetry::outcomes_json(telemetry::outcomes_of(read->decisions));
    return terminal.out(service::json_text(json));
  }
  if (*today) terminal.out(fmt::format("remote tier: {}\n", spending_text(**today, budget)));
  if (read->decisions.empty()) {
    return terminal.note(loaded->settings.log.decisions || !options.log.empty()
                             ? "no decision was logged in that time"
                             : "nothing is logged: log.decisions = true keeps every decision "
                               "(hashes of questions, never their text)");
  }
  terminal.out(printable(telemetry::usage_text(usage, advice)));
  terminal.out(printable(telemetry::cost_text(costs, *terms)));
  if (read->limited) terminal.note(fmt::format("only the newest {} were counted", kCountedMax));
}

}  // namespace

void add_stats(CLI::App& app, Context& context) {
  auto options = std::make_shared<StatsOptions>();
  CLI::App* stats =
      app.add_subcommand("stats", "Who answered, how fast, what it saved, and what to change");
  stats->add_option("log", options->log, "A decision log (default: that of this user)")
      ->type_name("LOG");
  stats->add_option("--since", options->since, "Only the last 30m, 24h, 7d, 2w (default: all)")
      ->type_name("TIME");
  stats->add_option("--api", options->api,
                    "A remote model of the catalogue to compare costs with (default: the cheapest)")
      ->type_name("NAME");
  stats->add_flag("--json", options->json, "As JSON");
  stats->footer(
      "kept: of a tier's answers, those that were sure enough; passed: those after which the next\n"
      "tier was asked. Savings hold the time of all climbs against asking the largest tier that\n"
      "answered every time, at its own mean. Needs log.decisions = true when questions are asked.\n"
      "Costs are of the models configured now, from `models measure` where it was run and from\n"
      "the settings cost.*; watts are assumed where the processor does not tell them. What the\n"
      "remote tier was paid today is shown where l4.budget_per_day is set.\n"
      "Examples:\n"
      "  tinyarms stats --since 7d\n"
      "  tinyarms stats --api gpt-5\n"
      "  tinyarms stats --json");
  stats->callback([options, &context] { run_stats(*options, context); });
}

}  // namespace tinyarms::cli
