// Whether calls are those that were wanted: names, types and values against a list of possible
// answers, by the function-calling benchmark's rules.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "eval/tasks/bfcl_source.h"
#include "eval/tasks/bfcl_value.h"

namespace tinyarms::eval::bfcl {

struct Wanted {
  const nlohmann::json& functions;  // upstream's descriptions
  const nlohmann::json& answers;    // upstream's ground_truth: one object a call
  Language language = Language::Python;
};

// Why they are not the wanted calls; empty where they are. In any order where there are several,
// each standing for one wanted call. Malformed descriptions are a mismatch.
std::string mismatch(const std::vector<Call>& calls, const Wanted& wanted);

}  // namespace tinyarms::eval::bfcl
