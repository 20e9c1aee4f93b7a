// Answers that the user called bad, as far as the log of decisions has kept them.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/context.h"
#include "eval/own_failures.h"

namespace tinyarms::cli {

struct OwnFailures {
  uint64_t bad = 0;        // among the newest decisions
  uint64_t with_text = 0;  // of those, the questions that were kept
  std::vector<eval::OwnQuestion> asked;  // of those, the newest that can be judged, each text once
};

// Nothing where no log is kept, or it cannot be read.
OwnFailures find_own_failures(const Context& context);

std::string own_failures_text(const OwnFailures& own);
nlohmann::ordered_json own_failures_json(const OwnFailures& own);

}  // namespace tinyarms::cli
