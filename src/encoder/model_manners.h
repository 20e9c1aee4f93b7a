// What an embedding model was trained with beyond its weights: the words put before a text, and the
// shorter sizes at which its vectors still rank well (Matryoshka training, Kusupati et al. 2022).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/model_facts.h"

namespace tinyarms::encoder {

enum class Purpose { Plain, Query, Document };

// What comes before a text of that purpose; empty where the model was trained without.
std::string prompt_for(const engine::ModelFacts& facts, Purpose purpose);

// The sizes that the model was trained for, largest first; only its own where it says nothing else.
std::vector<size_t> trained_sizes(const engine::ModelFacts& facts);

// The first `size` values, scaled to length 1 again. Errors: InvalidArgument (0, or more than there
// are), Corrupt (nothing is left of the length).
Result<void> shorten(std::vector<float>& unit, size_t size);

}  // namespace tinyarms::encoder
