// L0: deterministic rules. Answers are right by construction, or there is none.
#pragma once

#include "cascade/tier.h"
#include "questions/question_engine.h"

namespace tinyarms::tiers {

class RuleTier final : public cascade::Tier {
 public:
  // `look_at_code`: where no rule answers, the code in the question is looked at for evidence,
  // which costs what parsing it costs.
  explicit RuleTier(const questions::QuestionEngine& engine, bool look_at_code = true)
      : engine_(engine), look_at_code_(look_at_code) {}

  cascade::Level level() const override { return cascade::Level::L0; }
  std::string describe() const override;
  std::optional<std::string> skip_reason(const cascade::Request&,
                                         const cascade::Trace& so_far) const override;
  Result<cascade::Attempt> attempt(const cascade::Request&, const cascade::Trace& so_far,
                                   const StopFlag&, cascade::Listener&) override;

 private:
  const questions::QuestionEngine& engine_;
  bool look_at_code_;
};

}  // namespace tinyarms::tiers
