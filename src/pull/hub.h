// A repository of Hugging Face, or of a hub that answers as it does: what files it has (GET
// /api/models/{repository}/tree/{revision}, the Hub API's "tree"), and which of them is meant.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::pull {

struct HubFile {
  std::string path{};
  uint64_t bytes = 0;
  std::string sha256{};  // of large files; empty where the hub does not tell
};

inline constexpr size_t kTreeBytesMax = 16 << 20;

std::string tree_url(const std::string& hub, const std::string& repository,
                     const std::string& revision);
std::string file_url(const std::string& hub, const std::string& repository,
                     const std::string& revision, const std::string& path);

// The GGUF files of a reply. Errors: Corrupt (not such a list).
Result<std::vector<HubFile>> parse_tree(std::string_view json, const std::string& place);

struct HubChoice {
  std::string name{};            // of the model: the file's stem, without part numbers
  std::vector<HubFile> parts{};  // one, or all of a model in parts, in order
};

// The file of that type of weights or that path; where neither is said, the only one, else the
// first there is of Q4_K_M, Q4_0, Q5_K_M, Q8_0, F16. Errors: NotFound (with what there is),
// Corrupt (a model in parts of which one is missing).
Result<HubChoice> choose_file(const std::vector<HubFile>& files, const std::string& quantisation,
                              const std::string& path, const std::string& place);

}  // namespace tinyarms::pull
