// A model as the tiers need it: which file, and the identity that cached answers are bound to.
#pragma once

#include <filesystem>
#include <string>

namespace tinyarms::tiers {

struct ModelRef {
  std::string name;            // as configured; empty: no model is configured
  std::filesystem::path path;  // empty where `problem` says why
  std::string sha256;
  std::string quantization;
  std::string problem;  // "not installed (tinyarms models import …)"; empty where usable

  bool configured() const { return !name.empty(); }
};

}  // namespace tinyarms::tiers
