#include "questions/computation.h"

namespace tinyarms::questions {
namespace {

std::vector<const std::vector<Computation>*> groups() {
  return {&number_computations(),  &code_computations(),    &mode_computations(),
          &calendar_computations(), &cron_computations(),    &text_computations(),
          &network_computations(),  &version_computations(), &colour_computations()};
}

}  // namespace

std::string ComputationInput::get(const char* name) const {
  const auto found = captures.find(name);
  return found == captures.end() ? std::string() : found->second;
}

const Computation* find_computation(std::string_view name) {
  for (const std::vector<Computation>* group : groups()) {
    for (const Computation& computation : *group) {
      if (computation.name == name) return &computation;
    }
  }
  return nullptr;
}

std::vector<std::string_view> computation_names() {
  std::vector<std::string_view> names;
  for (const std::vector<Computation>* group : groups()) {
    for (const Computation& computation : *group) names.push_back(computation.name);
  }
  return names;
}

}  // namespace tinyarms::questions
