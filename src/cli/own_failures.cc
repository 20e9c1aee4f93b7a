#include "cli/own_failures.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "service/judgement.h"
#include "storage/decision_log.h"

namespace tinyarms::cli {
namespace {

constexpr int64_t kDecisionsLookedAt = 100'000;

bool was_bad(const storage::LoggedDecision& decision) {
  const auto winner = static_cast<size_t>(decision.winner);
  return decision.winner >= 0 && winner < decision.steps.size() &&
         !decision.steps[winner].good.value_or(true);
}

}  // namespace

OwnFailures count_own_failures(const Context& context) {
  OwnFailures own;
  auto log = storage::DecisionLog::open_existing(service::decision_log_path(context.paths),
                                                 context.clock);
  if (!log) return own;
  auto read = (*log)->read(
      [&](const storage::LoggedDecision& decision) -> Result<void> {
        if (!was_bad(decision)) return {};
        ++own.bad;
        if (!decision.question.empty()) ++own.with_text;
        return {};
      },
      {.newest = kDecisionsLookedAt});
  return read ? own : OwnFailures{};
}

std::string own_failures_text(const OwnFailures& own) {
  if (own.bad == 0) return "own failures: none are known (tinyarms feedback ID bad)";
  return fmt::format(
      "own failures: {} answers were called bad and {} of their questions kept (log.prompts); none "
      "has an expected result to judge another answer by, so they are not asked",
      own.bad, own.with_text);
}

nlohmann::ordered_json own_failures_json(const OwnFailures& own) {
  return {{"bad", own.bad}, {"with_question", own.with_text}, {"asked", 0}};
}

}  // namespace tinyarms::cli
