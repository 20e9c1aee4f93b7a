// L0: deterministic rules. Answers are right by construction, or there is none.
#pragma once

#include "cascade/tier.h"
#include "questions/question_engine.h"

namespace tinyarms::tiers {

class RuleTier final : public cascade::Tier {
 public:
  explicit RuleTier(const questions::QuestionEngine& engine) : engine_(engine) {}

  cascade::Level level() const override { return cascade::Level::L0; }
  std::string describe() const override;
  std::optional<std::string> skip_reason(const cascade::Request&,
                                         const cascade::Trace& so_far) const override;
  Result<cascade::Attempt> attempt(const cascade::Request&, const cascade::Trace& so_far,
                                   const StopFlag&, cascade::Listener&) override;

 private:
  const questions::QuestionEngine& engine_;
};

}  // namespace tinyarms::tiers
