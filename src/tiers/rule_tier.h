// L0: deterministic rules. Answers are right by construction, or there is none.
#pragma once

#include "cascade/tier.h"
#include "rules/rule_engine.h"

namespace tinyarms::tiers {

class RuleTier final : public cascade::Tier {
 public:
  explicit RuleTier(const rules::RuleEngine& engine) : engine_(engine) {}

  cascade::Level level() const override { return cascade::Level::L0; }
  std::string describe() const override;
  std::optional<std::string> skip_reason(const cascade::Request&,
                                         const cascade::Trace& so_far) const override;
  Result<cascade::Attempt> attempt(const cascade::Request&, const cascade::Trace& so_far,
                                   const StopFlag&, cascade::Listener&) override;

 private:
  const rules::RuleEngine& engine_;
};

}  // namespace tinyarms::tiers
