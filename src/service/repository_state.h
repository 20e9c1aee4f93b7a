// Which git repository a folder lies in, and in which state that is. Reads a few small files; runs
// no program. What they hold is not trusted.
#pragma once

#include <filesystem>
#include <string>

namespace tinyarms::service {

struct RepositoryState {
  std::string root;   // empty: not in a repository
  std::string state;  // 16 hex digits; empty where there is no root
};

// The state changes with the branch, the commit, and what is staged; edits of files that git was
// not told of do not change it.
RepositoryState repository_state(const std::filesystem::path& folder);

}  // namespace tinyarms::service
