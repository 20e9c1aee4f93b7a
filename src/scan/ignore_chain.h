// All the ignore files that apply to one folder: its own, those of the folders above it, and git's
// exclude and global ones, each with the precedence that git and ripgrep give it: .ignore before
// .gitignore before .git/info/exclude before the global file; a deeper file before a higher one.
// Git's files count inside a repository only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/paths.h"
#include "scan/ignore_file.h"

namespace tinyarms::scan {

struct IgnoreOptions {
  bool dot = true;      // .ignore
  bool vcs = true;      // .gitignore; git's exclude and global files too
  bool exclude = true;  // .git/info/exclude
  bool global = true;   // core.excludesFile, or $XDG_CONFIG_HOME/git/ignore
  bool parents = true;  // files in folders above the one that is scanned
  bool anywhere = false;  // git's files count outside of repositories too
};

// Const and shared between threads.
class IgnoreChain {
 public:
  using Pointer = std::shared_ptr<const IgnoreChain>;

  // The chain of a folder where a scan begins, with the folders above it. `folder` as it is named;
  // reads the environment for git's global file.
  static Pointer root(const std::string& folder, const IgnoreOptions& options,
                      const Environment& environment);
  // The chain of `name` inside this folder.
  static Pointer child(const Pointer& parent, std::string_view name);

  // Of an entry of this folder.
  Verdict match(std::string_view name, bool is_directory) const;

  // Patterns that could not be read, in this folder's own files.
  std::vector<std::string> notices() const;

 private:
  explicit IgnoreChain(const IgnoreOptions& options) : options_(options) {}
  void load(const std::string& folder);

  IgnoreOptions options_;
  Pointer parent_;
  std::string folder_;  // absolute, ends in '/'
  IgnoreFile dot_;
  IgnoreFile vcs_;
  IgnoreFile exclude_;
  std::shared_ptr<const IgnoreFile> global_;  // patterns relative to the repository
  bool repository_root_ = false;
  bool in_repository_ = false;
};

}  // namespace tinyarms::scan
