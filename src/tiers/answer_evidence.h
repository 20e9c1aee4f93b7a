// Evidence about a generated answer: what its tokens say, whether its code parses, what the bundled
// code rules find in it, and which names it uses that nothing defines.
#pragma once

#include <string_view>

#include "cascade/evidence.h"
#include "engine/generator.h"

namespace tinyarms::tiers {

// `asked`: everything the model was told that may name what the code uses (question, files).
// Without it, undefined names are not looked for: the answer may be an excerpt.
cascade::Evidence evidence_of(const engine::Generation& generation, std::string_view asked = {});

// The part of it that the answer's text gives, whoever wrote it.
void add_code_evidence(std::string_view answer, cascade::Evidence& evidence,
                       std::string_view asked = {});

// Evidence about code that came with a question: counts of the bundled rules' findings.
void add_request_evidence(std::string_view question, cascade::Evidence& evidence);

}  // namespace tinyarms::tiers
