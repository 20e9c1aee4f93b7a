// Evidence about a generated answer: what its tokens say, and whether its code parses.
#pragma once

#include "cascade/evidence.h"
#include "engine/generator.h"

namespace tinyarms::tiers {

cascade::Evidence evidence_of(const engine::Generation& generation);

}  // namespace tinyarms::tiers
