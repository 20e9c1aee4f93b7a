// The newest decisions, for whoever looks at them: those of the log where one is written
// (log.decisions), else those of this process, which are kept in memory and gone with it.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/paths.h"
#include "cascade/cascade.h"
#include "service/rejection.h"
#include "service/replay.h"
#include "service/settings.h"
#include "telemetry/counted.h"

namespace tinyarms::service {

inline constexpr size_t kRememberedMax = 2'000;  // in memory, where no log is written
inline constexpr size_t kCountedMax = 50'000;    // of the log
inline constexpr size_t kReplayedMax = 2'000;

class DecisionBook {
 public:
  // Both outlive it.
  DecisionBook(const Paths& paths, const Clock& clock) : paths_(paths), clock_(clock) {}

  // A climb that was not logged, under `id`. Any thread; touches no disk.
  void note(const cascade::Request& request, const cascade::Reply& reply, const std::string& id);

  // What follows: one thread at a time; reads the disk where there is a log. Errors: those of the
  // log. A log that nothing was written to yet is empty.

  // Oldest first. Valid until the next call.
  Result<const std::vector<telemetry::Counted>*> counted(const Settings& settings);

  // These thresholds on the newest decisions, other terms as they are.
  Result<ReplayReport> what_if(const Settings& settings,
                               const std::map<cascade::Level, double>& thresholds);

  // How an answer turned out; a bad one is forgotten for good. Errors: NotFound; InvalidArgument
  // (it had no reply); those of the answer cache.
  Result<Rejection> judge(const Settings& settings, const std::string& id, bool good);

 private:
  Result<void> bring_up_to_date(storage::DecisionLog& log);
  Result<std::vector<ReplayItem>> items(const Settings& settings);

  const Paths& paths_;
  const Clock& clock_;
  std::mutex mutex_;
  std::deque<storage::LoggedDecision> remembered_;
  std::vector<telemetry::Counted> counted_;
  storage::LogMark mark_;
};

}  // namespace tinyarms::service
