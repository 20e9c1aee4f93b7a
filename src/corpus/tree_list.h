// The files below a folder that are worth indexing, by their names and by ignore files; nothing is
// read but folders.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/paths.h"
#include "base/result.h"
#include "base/stop_flag.h"
#include "corpus/file_choice.h"
#include "corpus/secrets.h"

namespace tinyarms::corpus {

using LeftOutCounts = std::array<uint64_t, kLeftOutCount>;  // by LeftOut

struct ListedFile {
  std::string path = {};
  std::string stamp = {};  // changes whenever the file does
  uint64_t bytes = 0;
};

struct SecretFile {
  std::string path;
  Secret secret;
};

struct TreeList {
  std::vector<ListedFile> files;     // by path
  std::vector<std::string> folders;  // that were gone into, the root's own first
  LeftOutCounts left_out{};          // an ignored folder counts once
  std::vector<SecretFile> secrets;
  std::vector<std::string> unreadable;  // "path: why"
};

// `root`: a folder or a file, absolute. `own_folder`: where the index lies; never listed.
// Ends early once `stop` is raised. Errors: NotFound.
Result<TreeList> list_tree(const std::string& root, const std::filesystem::path& own_folder,
                           const Environment& environment, const StopFlag& stop);

// Of one file as it is now; empty where there is none.
std::string stamp_of_file(const std::string& path, uint64_t* bytes = nullptr);

}  // namespace tinyarms::corpus
