#include "service/rejection.h"

#include <nlohmann/json.hpp>

#include "cascade/evidence.h"
#include "service/user_files.h"
#include "storage/answer_cache.h"

namespace tinyarms::service {
namespace {

std::string entry_named_in(const std::string& evidence) {
  const auto json = nlohmann::json::parse(evidence, nullptr, false);
  if (!json.is_object()) return {};
  const auto entry = json.find(std::string(cascade::signal::kCacheEntry));
  return entry != json.end() && entry->is_string() ? entry->get<std::string>() : std::string();
}

// `evidence` is that of L1.
Result<Rejection> reject_entry_of(const std::string& evidence, const Settings& settings,
                                  const Paths& paths, const Clock& clock) {
  Rejection rejection{.entry = entry_named_in(evidence)};
  if (rejection.entry.empty()) return rejection;
  auto opened = storage::Database::open(answer_cache_path(paths), clock);
  if (!opened) return opened.error();
  storage::AnswerCache cache(*opened->database, clock, answer_cache_options(settings));
  auto removed = cache.reject(rejection.entry);
  if (!removed) return removed.error();
  rejection.removed = *removed;
  return rejection;
}

}  // namespace

Result<Rejection> judge_decision(const std::string& id, bool good, const std::string& source,
                                 storage::DecisionLog& log, const Settings& settings,
                                 const Paths& paths, const Clock& clock) {
  if (auto added = log.add_outcome(id, good, source); !added) return added.error();
  if (good) return Rejection{};
  auto evidence = log.evidence_of(id, "l1");
  if (!evidence) return evidence.error();
  return reject_entry_of(*evidence, settings, paths, clock);
}

Result<Rejection> reject_answer_of(const storage::LoggedDecision& decision,
                                   const Settings& settings, const Paths& paths,
                                   const Clock& clock) {
  for (const storage::LoggedStep& step : decision.steps) {
    if (step.level == "l1") return reject_entry_of(step.evidence, settings, paths, clock);
  }
  return Rejection{};
}

Result<Rejection> reject_entry(const std::string& word, const Settings& settings,
                               const Paths& paths, const Clock& clock) {
  auto opened = storage::Database::open(answer_cache_path(paths), clock);
  if (!opened) return opened.error();
  storage::AnswerCache cache(*opened->database, clock, answer_cache_options(settings));
  auto name = cache.resolve(word);
  if (!name) return name.error();
  auto removed = cache.reject(*name);
  if (!removed) return removed.error();
  return Rejection{.entry = *name, .removed = *removed};
}

}  // namespace tinyarms::service
