// The code rules inside the binary: the bundled pack of rules/, and those of this room.
#pragma once

#include <string_view>
#include <vector>

#include "base/embedded_file.h"
#include "rules/rule_set.h"

namespace tinyarms::tiers {

// The files of rules/<language>/ and src/tiers/data/python_names.yml.
std::vector<tinyarms::EmbeddedFile> embedded_code_rules();

// Those whose file name begins so ("python-" for a language), compiled. That costs milliseconds;
// keep what comes back.
rules::RuleSet load_embedded_rules(std::string_view prefix);

// The bundled pack alone, for those who run it over files.
rules::RuleSources bundled_rule_sources();

}  // namespace tinyarms::tiers
