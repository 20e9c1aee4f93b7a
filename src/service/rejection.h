// What becomes of a remembered answer that the user called wrong.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/paths.h"
#include "base/result.h"
#include "service/settings.h"
#include "storage/decision_log.h"

namespace tinyarms::service {

struct Rejection {
  std::string entry{};   // its name; empty: that climb neither took nor left a remembered answer
  bool removed = false;  // it was still there
};

// How the logged decision `id` turned out, whichever way it was told: kept in the log, and of a bad
// one the answer that served it, or was remembered from it, is forgotten for good. Errors: those of
// the two databases.
Result<Rejection> judge_decision(const std::string& id, bool good, const std::string& source,
                                 storage::DecisionLog& log, const Settings& settings,
                                 const Paths& paths, const Clock& clock);

// Forgets the answer of a climb at hand, logged or not.
Result<Rejection> reject_answer_of(const storage::LoggedDecision& decision,
                                   const Settings& settings, const Paths& paths,
                                   const Clock& clock);

// The entry whose name `word` begins. Errors: NotFound, InvalidArgument; those of the database.
Result<Rejection> reject_entry(const std::string& word, const Settings& settings,
                               const Paths& paths, const Clock& clock);

}  // namespace tinyarms::service
