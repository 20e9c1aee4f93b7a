// A model as the tiers need it: which file, and the identity that cached answers are bound to.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"

namespace tinyarms::tiers {

struct ModelRef {
  std::string name;            // as configured; empty: no model is configured
  std::filesystem::path path;
  std::string sha256;
  std::string quantization;
  std::optional<Error> problem;  // why the file cannot be used, found out before it is opened

  bool configured() const { return !name.empty(); }
  // For people: the name, and the problem where there is one.
  std::string describe() const {
    return problem ? name + " (unusable: " + problem->message() + ")" : name;
  }
};

}  // namespace tinyarms::tiers
