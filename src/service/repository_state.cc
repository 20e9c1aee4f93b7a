#include "service/repository_state.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/file_stamp.h"
#include "base/sha256.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSmallFileMax = 4096;
constexpr int kFoldersMax = 64;  // upward
constexpr size_t kDigits = 16;

// A small file's text without white space at its end; empty where it cannot be read. A pipe in an
// unpacked archive would be waited for at each question.
std::string small_text(const fs::path& path) {
  std::error_code problem;
  if (!fs::is_regular_file(path, problem)) return {};
  auto bytes = read_file(path, kSmallFileMax);
  if (!bytes) return {};
  while (!bytes->empty() && (bytes->back() == '\n' || bytes->back() == '\r')) bytes->pop_back();
  return *bytes;
}

// The folder with HEAD and index: .git itself, or what a worktree's or submodule's file names.
fs::path git_folder(const fs::path& dot_git) {
  std::error_code problem;
  if (fs::is_directory(dot_git, problem)) return dot_git;
  const std::string text = small_text(dot_git);
  constexpr std::string_view kPrefix = "gitdir: ";
  if (!text.starts_with(kPrefix)) return {};
  const fs::path named = text.substr(kPrefix.size());
  return named.is_absolute() ? named : dot_git.parent_path() / named;
}

// Where branches are: a worktree shares those of the repository that it belongs to.
fs::path common_folder(const fs::path& git) {
  const std::string text = small_text(git / "commondir");
  if (text.empty()) return git;
  const fs::path named = text;
  return named.is_absolute() ? named : git / named;
}

std::string state_of(const fs::path& git) {
  const std::string head = small_text(git / "HEAD");
  std::string identity = head;
  constexpr std::string_view kReference = "ref: ";
  if (head.starts_with(kReference)) {
    const std::string name = head.substr(kReference.size());
    const fs::path common = common_folder(git);
    const bool plain = name.starts_with("refs/") && name.find("..") == std::string::npos;
    const std::string commit = plain ? small_text(common / name) : std::string();
    // A branch without a file of its own stands among the packed ones.
    identity += commit.empty() ? "\n" + file_stamp(common / "packed-refs") + "\n" +
                                     file_stamp(common / "reftable" / "tables.list")
                               : "\n" + commit;
  }
  identity += "\n" + file_stamp(git / "index");
  return sha256_hex(identity).substr(0, kDigits);
}

}  // namespace

RepositoryState repository_state(const fs::path& folder) {
  fs::path at = folder;
  for (int i = 0; i < kFoldersMax && !at.empty(); ++i) {
    const fs::path dot_git = at / ".git";
    struct stat facts {};
    if (::stat(dot_git.c_str(), &facts) == 0) {
      const fs::path git = git_folder(dot_git);
      if (!git.empty()) return {.root = at.string(), .state = state_of(git)};
    }
    if (at == at.parent_path()) break;
    at = at.parent_path();
  }
  return {};
}

}  // namespace tinyarms::service
