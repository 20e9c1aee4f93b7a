// One catalogue file → entries: the schema of catalog/*.toml (docs/models.md).
#pragma once

#include <vector>

#include "advice/catalogue.h"

namespace tinyarms::advice {

// Entries without a fault; every fault is added to `problems` with its file:line:column.
std::vector<CatalogueModel> read_catalogue_file(const CatalogueFile& file,
                                                std::vector<Error>& problems);

}  // namespace tinyarms::advice
