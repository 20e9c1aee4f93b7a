#include "mcp/roots.h"

#include <fmt/format.h>

#include <algorithm>

#include "corpus/roots.h"

namespace tinyarms::mcp {

namespace fs = std::filesystem;

Result<Roots> Roots::open(const std::vector<std::string>& folders) {
  Roots roots;
  if (folders.empty()) {
    std::error_code problem;
    const fs::path here = fs::canonical(".", problem);
    if (!problem && here != here.root_path()) roots.folders_.push_back(here.string());
    return roots;
  }
  for (const std::string& folder : folders) {
    std::error_code problem;
    const fs::path there = fs::canonical(folder.empty() ? "." : folder, problem);
    if (problem || !fs::is_directory(there, problem)) {
      return Error{ErrorCode::InvalidArgument, "is no folder", folder, "--root names a folder"};
    }
    roots.folders_.push_back(there.string());
  }
  return roots;
}

bool Roots::contains(std::string_view absolute) const {
  return std::any_of(folders_.begin(), folders_.end(), [&](const std::string& folder) {
    return corpus::lies_in(absolute, folder);
  });
}

Result<std::string> Roots::resolve(const std::string& path) const {
  const Error outside{ErrorCode::InvalidArgument, "lies outside of the folders that this server "
                      "was given", path, fmt::format("they are: {}", fmt::join(folders_, ", "))};
  if (folders_.empty() || path.find('\0') != std::string::npos) return outside;
  const fs::path wished = fs::path(folders_.front()) / (path.empty() ? "." : path);
  // What is outside is not told from what is not there.
  if (!contains(wished.lexically_normal().string())) return outside;
  std::error_code problem;
  const fs::path there = fs::canonical(wished, problem);
  if (problem) return Error{ErrorCode::NotFound, "there is no such file or folder", path, ""};
  if (!contains(there.string())) return outside;
  return there.string();
}

std::string Roots::shown(const std::string& absolute) const {
  if (folders_.empty() || !corpus::lies_in(absolute, folders_.front())) return absolute;
  const std::string& root = folders_.front();
  if (absolute.size() <= root.size() + 1) return ".";
  return absolute.substr(root == "/" ? 1 : root.size() + 1);
}

}  // namespace tinyarms::mcp
