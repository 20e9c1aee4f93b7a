// What an answer rests on beside the question: the program, its settings, and the files these name.
// Two processes on the same footing answer alike; where they are not, the parts that differ say so
// by name. Settings that travel with a request, or only concern the terminal, are no part of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/paths.h"
#include "service/config.h"

namespace tinyarms::service {

// By name ("l2.model", "the program"), a text that is equal where the part is. Holds no secret: of
// the remote tier's key its hash alone, and only where that tier may be asked.
using Footing = std::map<std::string, std::string>;

// `program`: its version and build. Stamps files at the time; opens none of them.
Footing footing_of(const LoadedConfig& config, const Paths& paths, const Environment& environment,
                   const std::string& program);

// The names of parts that only one has, or that differ.
std::vector<std::string> differences(const Footing& left, const Footing& right);

}  // namespace tinyarms::service
