// The folders and files that the user asked to index: a small file of its own beside the index, so
// that an index that is lost can be made again.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tinyarms::corpus {

struct Root {
  std::string path;  // absolute, links resolved
  double added_at = 0;
  std::optional<double> completed_at;  // when it was last gone through to its end
};

// A file that is not there: none. Errors: Io; Corrupt (renamed to `<file>.corrupt` first).
Result<std::vector<Root>> read_roots(const std::filesystem::path& file);
Result<void> write_roots(const std::filesystem::path& file, const std::vector<Root>& roots);

// The one that `path` is or lies in; null where there is none.
Root* root_of(std::vector<Root>& roots, std::string_view path);

bool lies_in(std::string_view path, std::string_view folder);  // or is it

}  // namespace tinyarms::corpus
