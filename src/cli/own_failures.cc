#include "cli/own_failures.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "service/judgement.h"
#include "storage/decision_log.h"

namespace tinyarms::cli {
namespace {

constexpr int64_t kDecisionsLookedAt = 100'000;
constexpr size_t kOwnQuestionsMax = 100;

bool was_bad(const storage::LoggedDecision& decision) {
  const auto winner = static_cast<size_t>(decision.winner);
  return decision.winner >= 0 && winner < decision.steps.size() &&
         !decision.steps[winner].good.value_or(true);
}

}  // namespace

OwnFailures find_own_failures(const Context& context) {
  OwnFailures own;
  auto log = storage::DecisionLog::open_existing(service::decision_log_path(context.paths),
                                                 context.clock);
  if (!log) return own;
  std::set<std::string> texts;
  auto read = (*log)->read(
      [&](const storage::LoggedDecision& decision) -> Result<void> {
        if (!was_bad(decision)) return {};
        ++own.bad;
        if (decision.question.empty()) return {};
        ++own.with_text;
        const bool asked = eval::carries_examples(decision.question) &&
                           texts.insert(decision.question_sha).second;
        if (asked) own.asked.push_back({decision.id, decision.question});
        return {};
      },
      {.newest = kDecisionsLookedAt});
  if (!read) return {};
  if (own.asked.size() > kOwnQuestionsMax) {
    own.asked.erase(own.asked.begin(), own.asked.end() - kOwnQuestionsMax);
  }
  return own;
}

std::string own_failures_text(const OwnFailures& own) {
  if (own.bad == 0) return "own failures: none are known (tinyarms feedback ID bad)";
  return fmt::format(
      "own failures: {} answers were called bad, {} of their questions kept (log.prompts), {} of "
      "these asked: they carry examples that an answer can be judged by",
      own.bad, own.with_text, own.asked.size());
}

nlohmann::ordered_json own_failures_json(const OwnFailures& own) {
  return {{"bad", own.bad}, {"with_question", own.with_text}, {"asked", own.asked.size()}};
}

}  // namespace tinyarms::cli
