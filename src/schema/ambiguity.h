// Keeps what a grammar follows at once within bounds. Alternatives that begin alike are followed
// side by side until the text tells them apart; where each holds alternatives of the same kind
// again, they multiply with every bracket: {"anyOf": [{"items": S}, {"items": S}]} doubles.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace tinyarms::schema {

// Turns the schemas into any value that would lead to more than a few dozen followed at once; the
// whole of it where that cannot be told within bounded work, or a value begins with itself.
// References are resolved in `root`.
void limit_ambiguity(nlohmann::ordered_json& root);

}  // namespace tinyarms::schema
