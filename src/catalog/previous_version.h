// The version of a model that was in use before the one of now: kept under the same name in
// `.previous/` of the store, which is a model store itself, until another is kept or it is pruned.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/model_store.h"

namespace tinyarms::catalog {

ModelStore previous_versions(const ModelStore& store);

// Keeps what is installed as `name`, in place of an older one; the model itself stays where it is.
// Shares its bytes where the file system can. Errors: Io.
Result<void> keep_previous(const ModelStore& store, const std::string& name);

// The kept version and the one in use change places, at once: the name never stands for nothing.
// Called again it goes forward again. Gives the one in use now. Errors: NotFound (none is kept),
// Corrupt (its bytes are not those that were kept; nothing changed), Io.
Result<InstalledModel> roll_back(const ModelStore& store, std::string_view name);

// Removes what is kept of `names`, or of all where there are none; gives what was removed. Errors:
// NotFound (before anything is removed), Io.
Result<std::vector<InstalledModel>> prune_previous(const ModelStore& store,
                                                   const std::vector<std::string>& names);

}  // namespace tinyarms::catalog
