// Evidence about a generated answer: what its tokens say, and whether its code parses.
#pragma once

#include <string_view>

#include "cascade/evidence.h"
#include "engine/generator.h"

namespace tinyarms::tiers {

cascade::Evidence evidence_of(const engine::Generation& generation);

// What the code blocks of an answer say by themselves, whoever wrote it.
void add_code_evidence(std::string_view answer, cascade::Evidence& evidence);

}  // namespace tinyarms::tiers
