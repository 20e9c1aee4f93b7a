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
  std::string_view question;  // as it was typed, where white space and marks matter

  std::string get(const char* name) const;  // a capture, empty where it did not take part
};

struct Computation {
  std::string_view name;
  bool needs_code;
  std::vector<std::string_view> captures;   // that the question must have
  std::vector<std::string_view> variables;  // that it adds
  std::optional<Variables> (*run)(const ComputationInput&);
};

// By subject, each in its own source.
const std::vector<Computation>& code_computations();
const std::vector<Computation>& calendar_computations();
const std::vector<Computation>& cron_computations();
const std::vector<Computation>& text_computations();
const std::vector<Computation>& number_computations();
const std::vector<Computation>& network_computations();
const std::vector<Computation>& version_computations();
const std::vector<Computation>& colour_computations();
const std::vector<Computation>& mode_computations();

// Null for a name that is not known.
const Computation* find_computation(std::string_view name);
std::vector<std::string_view> computation_names();

}  // namespace tinyarms::questions
