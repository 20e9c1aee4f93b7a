// What a rule's answer can be computed with, by the name under `compute:`. A computation turns
// the question's captures and code into variables for the answer's template, or declines.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/code.h"
#include "questions/unit_library.h"

namespace tinyarms::questions {

using Variables = std::map<std::string, std::string>;

struct ComputationInput {
  const Variables& captures;
  const rules::CodeBlock* code = nullptr;  // there wherever the computation needs it
  const UnitLibrary& units;
};

struct Computation {
  std::string_view name;
  bool needs_code;
  std::vector<std::string_view> captures;   // that the question must have
  std::vector<std::string_view> variables;  // that it adds
  std::optional<Variables> (*run)(const ComputationInput&);
};

// Null for a name that is not known.
const Computation* find_computation(std::string_view name);
std::vector<std::string_view> computation_names();

}  // namespace tinyarms::questions
