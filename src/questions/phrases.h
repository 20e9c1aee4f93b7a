// Turns of phrase that many questions share. A rule's regex names one as %{how}; what stands for
// it here may hold no named group, so that a rule's groups are all its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::questions {

// The regex with every %{name} replaced. Errors: Config, for a name that is not known.
Result<std::string> expand_phrases(std::string_view regex);
std::vector<std::string_view> phrase_names();

}  // namespace tinyarms::questions
