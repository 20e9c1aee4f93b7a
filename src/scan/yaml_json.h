// YAML values as JSON: plain scalars become the numbers, booleans and nulls that YAML 1.2's core
// schema reads them as.
#pragma once

#include <nlohmann/json.hpp>

#include "rules/yaml_document.h"

namespace tinyarms::scan {

nlohmann::ordered_json yaml_to_json(const rules::YamlNode& node);

}  // namespace tinyarms::scan
