// A folder of models for machines without a network: the files of a model store with an
// `index.json`, on a disk, a share or a web server. Made by `tinyarms models export`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/model_store.h"

namespace tinyarms::pull {

inline constexpr const char* kIndexName = "index.json";
inline constexpr size_t kIndexBytesMax = 8 << 20;

struct MirrorEntry {
  std::string name{};  // of the model
  std::string file{};  // in the same folder
  uint64_t bytes = 0;
  std::string sha256{};
  std::string quantisation{};
};

// Errors: Corrupt (not such an index; a file outside the folder).
Result<std::vector<MirrorEntry>> parse_index(std::string_view json, const std::string& place);

// By exact name; else the one whose name begins so and whose type is `quantisation`, where that is
// said; else the only one whose name begins so. Null where there is none, or several.
const MirrorEntry* find_entry(const std::vector<MirrorEntry>& entries, std::string_view name,
                              std::string_view quantisation);

// Writes the index of everything in the folder. Errors: Io.
Result<size_t> write_index(const catalog::ModelStore& folder);

}  // namespace tinyarms::pull
