#include "service/decision_book.h"

#include <fmt/format.h>

#include <algorithm>

#include "service/decision_record.h"
#include "service/judgement.h"
#include "service/policy_file.h"

namespace tinyarms::service {
namespace {

using storage::DecisionLog;
using storage::LoggedDecision;

// Null where nothing was logged yet. It is our own file, which a writer may only just be making:
// open() waits for that, where open_existing() would take it for somebody else's.
Result<std::unique_ptr<DecisionLog>> open_log(const Paths& paths, const Clock& clock) {
  std::error_code ignored;
  const auto path = decision_log_path(paths);
  if (!std::filesystem::exists(path, ignored)) return std::unique_ptr<DecisionLog>();
  return DecisionLog::open(path, clock);
}

}  // namespace

void DecisionBook::note(const cascade::Request& request, const cascade::Reply& reply,
                        const std::string& id) {
  static const CalibratedEstimator kNoPromises{};
  LoggedDecision decision = decision_record(
      request, reply, kNoPromises, {.id = id, .at = clock_.wall_seconds(), .policy = ""});
  const std::lock_guard lock(mutex_);
  remembered_.push_back(std::move(decision));
  if (remembered_.size() > kRememberedMax) remembered_.pop_front();
}

// Only what is new is read, unless an outcome was told of something old.
Result<void> DecisionBook::bring_up_to_date(DecisionLog& log) {
  auto mark = log.mark();
  if (!mark) return mark.error();
  if (*mark == mark_) return {};
  const bool anew = mark->outcome != mark_.outcome || mark->decision < mark_.decision;
  if (anew) counted_.clear();
  auto read = log.read(
      [this](const LoggedDecision& one) -> Result<void> {
        counted_.push_back(telemetry::counted(one));
        return {};
      },
      {.after = anew ? 0 : mark_.decision,
       .up_to = mark->decision,
       .newest = static_cast<int64_t>(kCountedMax)});
  if (!read) {
    mark_ = {};
    counted_.clear();
    return read;
  }
  if (counted_.size() > kCountedMax) {
    counted_.erase(counted_.begin(),
                   counted_.end() - static_cast<std::ptrdiff_t>(kCountedMax));
  }
  mark_ = *mark;
  return {};
}

Result<const std::vector<telemetry::Counted>*> DecisionBook::counted(const Settings& settings) {
  if (settings.log.decisions) {
    auto log = open_log(paths_, clock_);
    if (!log) return log.error();
    if (*log == nullptr) {
      counted_.clear();
      mark_ = {};
    } else if (auto done = bring_up_to_date(**log); !done) {
      return done.error();
    }
    return &counted_;
  }
  mark_ = {};
  counted_.clear();
  const std::lock_guard lock(mutex_);
  for (const LoggedDecision& one : remembered_) counted_.push_back(telemetry::counted(one));
  return &counted_;
}

Result<std::vector<ReplayItem>> DecisionBook::items(const Settings& settings) {
  std::vector<ReplayItem> items;
  if (settings.log.decisions) {
    auto log = open_log(paths_, clock_);
    if (!log) return log.error();
    if (*log == nullptr) return items;
    auto read = (*log)->read(
        [&](const LoggedDecision& one) -> Result<void> {
          items.push_back(replay_item(one));
          return {};
        },
        {.newest = static_cast<int64_t>(kReplayedMax)});
    if (!read) return read.error();
    return items;
  }
  const std::lock_guard lock(mutex_);
  for (const LoggedDecision& one : remembered_) items.push_back(replay_item(one));
  return items;
}

Result<ReplayReport> DecisionBook::what_if(const Settings& settings,
                                           const std::map<cascade::Level, double>& thresholds) {
  cascade::PolicyTerms before;
  if (!settings.policy.file.empty()) {
    auto read = read_policy_file(settings.policy.file);
    if (!read) return read.error();
    before = std::move(*read);
  }
  before = complete_terms(std::move(before), settings);
  for (const auto& [level, threshold] : set_thresholds(settings)) {
    before.tiers[level].threshold = threshold;
  }
  cascade::PolicyTerms after = before;
  for (const auto& [level, threshold] : thresholds) after.tiers[level].threshold = threshold;
  auto all = items(settings);
  if (!all) return all.error();
  std::vector<std::string> ignored;
  const auto estimator = CalibratedEstimator::load(settings.calibration.files,
                                                   settings.calibration.allow_foreign, ignored);
  return replay(*all, estimator, before, after);
}

Result<Rejection> DecisionBook::judge(const Settings& settings, const std::string& id, bool good) {
  if (settings.log.decisions) {
    auto log = open_log(paths_, clock_);
    if (!log) return log.error();
    if (*log != nullptr) {
      return judge_decision(id, good, "feedback", **log, settings, paths_, clock_);
    }
  }
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(remembered_.rbegin(), remembered_.rend(),
                                  [&](const LoggedDecision& one) { return one.id == id; });
  if (found == remembered_.rend()) {
    return Error{ErrorCode::NotFound, fmt::format("no decision `{}`", id), "", ""};
  }
  if (found->winner < 0) {
    return Error{ErrorCode::InvalidArgument, "that question got no answer to judge", id, ""};
  }
  found->steps[static_cast<size_t>(found->winner)].good = good;
  return good ? Rejection{} : reject_answer_of(*found, settings, paths_, clock_);
}

}  // namespace tinyarms::service
