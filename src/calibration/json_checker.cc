#include "calibration/json_checker.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace tinyarms::calibration {
namespace {

constexpr size_t kTextBytesMax = 4096;

}  // namespace

void JsonChecker::fault(const std::string& place, std::string what) {
  if (!fault_) fault_ = {place, std::move(what)};
}

const JsonChecker::Json& JsonChecker::member(const Json& object, const char* name,
                                             const std::string& place) {
  static const Json kNothing;
  if (object.is_object() && object.contains(name)) return object[name];
  fault(place, fmt::format("`{}` is missing", name));
  return kNothing;
}

double JsonChecker::number(const Json& value, const std::string& place, Interval range) {
  if (value.is_number()) {
    const double x = value.get<double>();
    if (std::isfinite(x) && x >= range.low && x <= range.high) return x;
  }
  fault(place, fmt::format("a number in [{:g}, {:g}] is needed", range.low, range.high));
  return range.low;
}

double JsonChecker::number_in(const Json& object, const char* name, const std::string& place,
                              Interval range) {
  return number(member(object, name, place), place + "." + name, range);
}

uint64_t JsonChecker::count_in(const Json& object, const char* name, const std::string& place) {
  const Json& value = member(object, name, place);
  if (value.is_number_unsigned()) return value.get<uint64_t>();
  fault(place + "." + name, "a count is needed");
  return 0;
}

std::string JsonChecker::text_in(const Json& object, const char* name, const std::string& place) {
  const Json& value = member(object, name, place);
  if (value.is_string() && value.get_ref<const std::string&>().size() <= kTextBytesMax) {
    return value.get<std::string>();
  }
  fault(place + "." + name, "a text is needed");
  return "";
}

const JsonChecker::Json& JsonChecker::list_in(const Json& object, const char* name,
                                              const std::string& place, size_t items_max) {
  static const Json kEmpty = Json::array();
  const Json& value = member(object, name, place);
  if (value.is_array() && value.size() <= items_max) return value;
  fault(place + "." + name, fmt::format("a list of at most {} is needed", items_max));
  return kEmpty;
}

}  // namespace tinyarms::calibration
