// What was downloaded before is here already: found again in the store, earlier versions included,
// by address, ETag and size, or by hash. What a sidecar remembers counts only while it vouches for
// its file (catalog/installed_model.h), and a file only after it was read through.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/model_store.h"

namespace tinyarms::pull {

// The SHA-256 of what came from that very address in that version; empty where nobody remembers.
// A weak ETag tells no bytes apart, so nothing is known by one.
std::string recall_hash(const catalog::ModelStore& store, const catalog::DownloadRecord& asked);

// An installed model of that hash, which was computed just now.
std::optional<catalog::InstalledModel> recall_file(const catalog::ModelStore& store,
                                                   const std::string& sha256);

// Whether it was joined from parts of exactly these hashes.
bool joined_from(const catalog::InstalledModel& model, const std::vector<std::string>& hashes);

// The model that was joined from them, read through.
std::optional<catalog::InstalledModel> recall_joined(const catalog::ModelStore& store,
                                                     const std::vector<std::string>& hashes);

}  // namespace tinyarms::pull
