// Reads a parsed file field by field; the first fault stays, with its place
// ("groups.code.parameters.x[3]"). After a fault the values are harmless stand-ins, so that a
// reader goes on to its end and looks once.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>

#include "calibration/special_functions.h"

namespace tinyarms::calibration {

class JsonChecker {
 public:
  using Json = nlohmann::ordered_json;

  void fault(const std::string& place, std::string what);
  const std::optional<std::pair<std::string, std::string>>& fault() const { return fault_; }

  const Json& member(const Json& object, const char* name, const std::string& place);
  // Finite and within the range, ends included.
  double number(const Json& value, const std::string& place, Interval range);
  double number_in(const Json& object, const char* name, const std::string& place,
                   Interval range = {-1e300, 1e300});
  uint64_t count_in(const Json& object, const char* name, const std::string& place);
  std::string text_in(const Json& object, const char* name, const std::string& place);
  const Json& list_in(const Json& object, const char* name, const std::string& place,
                      size_t items_max);

 private:
  std::optional<std::pair<std::string, std::string>> fault_;
};

}  // namespace tinyarms::calibration
