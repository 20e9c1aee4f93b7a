// What a language tier does with the draft of the tier below: finds it in the trace, decides
// whether looking at it is worth the time, and learns from how it went (docs/escalation.md).
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "cascade/draft_forecast.h"
#include "cascade/request.h"
#include "cascade/trace.h"
#include "engine/generator.h"

namespace tinyarms::tiers {

enum class DraftSetting { Auto, On, Off };

struct DraftUse {
  DraftSetting speculate = DraftSetting::Off;
  DraftSetting lookup = DraftSetting::Off;
  double endorse_from = 1;  // engine::DraftOptions
};

struct DraftPlan {
  engine::DraftOptions options;
  std::string drafter;      // the model that wrote it; empty: there is none
  std::string explanation;  // for the trace; empty: nothing was decided
};

// Thread-safe.
class DraftJudge {
 public:
  explicit DraftJudge(DraftUse use) : use_(use) {}

  // `prompt_begun`: the scheduler has computed some of the prompt ahead.
  DraftPlan plan(const cascade::Request& request, const cascade::Trace& so_far,
                 bool prompt_begun = false) const;
  // Whether a prompt that the scheduler computed ahead would be of use.
  bool may_ask_scheduler() const {
    return use_.speculate != DraftSetting::On && use_.lookup != DraftSetting::On;
  }
  void learn(const DraftPlan& plan, const engine::Generation& generation,
             cascade::Evidence& evidence);

 private:
  DraftUse use_;
  mutable std::mutex mutex_;  // of what it has learned
  cascade::Speeds speeds_;                             // of this tier's model, as last measured
  std::map<std::string, cascade::AgreementMemory> agreement_;  // by who wrote the draft
};

}  // namespace tinyarms::tiers
