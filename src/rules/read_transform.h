// The map under `transform:`.
#pragma once

#include <vector>

#include "base/result.h"
#include "rules/language.h"
#include "rules/rule_reader.h"
#include "rules/transform.h"

namespace tinyarms::rules {

// In an order in which each comes after those it uses. `known` are the variables that patterns
// bind. Errors: Config (a variable nobody binds, a cycle, a malformed transformation).
Result<std::vector<Transform>> read_transforms(RuleReader& reader, const YamlNode& map,
                                               const Language& language, SlotTable& slots,
                                               const std::vector<Slot>& known);

}  // namespace tinyarms::rules
