// A catalogue entry as JSON: the stable form of `models catalog --json` and `models show --json`.
// What no source tells is null.
#pragma once

#include <nlohmann/json.hpp>

#include "advice/catalogue.h"

namespace tinyarms::advice {

nlohmann::ordered_json catalogue_model_json(const CatalogueModel& model);

}  // namespace tinyarms::advice
