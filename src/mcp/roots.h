// The folders that a client's paths may lie in. Links are resolved before it is looked where a path
// lies, so that none leads out.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::mcp {

class Roots {
 public:
  // None given: the current folder, but never all of the disk, where a service is started from.
  // Errors: InvalidArgument (one that is no folder).
  static Result<Roots> open(const std::vector<std::string>& folders);

  // The file or folder itself, absolute; a relative path is one below the first root. Errors:
  // NotFound; InvalidArgument (outside of all roots; NUL).
  Result<std::string> resolve(const std::string& path) const;

  bool contains(std::string_view absolute) const;
  // Relative to the root that it lies in, where that is the first one.
  std::string shown(const std::string& absolute) const;
  const std::vector<std::string>& folders() const { return folders_; }

 private:
  std::vector<std::string> folders_;  // absolute, links resolved
};

}  // namespace tinyarms::mcp
