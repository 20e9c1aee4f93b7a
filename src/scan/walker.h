// Walks folders with several threads and hands every file of a wanted language to a visitor; the
// reports come out one at a time in the order of the paths (component by component, by bytes), each
// as soon as all before it are there.
//
// Semantics are ast-grep 0.51's: .gitignore and .ignore are respected, hidden folders skipped,
// hidden files in a known language not, links not followed unless asked for (except those that are
// named), named files always taken. Threads steal folders and files from each other.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "scan/file_language.h"
#include "scan/file_report.h"
#include "scan/ignore_chain.h"

namespace tinyarms::scan {

struct WalkOptions {
  std::vector<std::string> paths = {"."};
  IgnoreOptions ignores = {};
  bool hidden = false;              // go into hidden folders too
  bool follow_links = false;
  // Override everything else; "!glob" excludes; the last that matches decides.
  std::vector<std::string> globs = {};
  unsigned threads = 1;
};

struct WalkedFile {
  const std::string& path;  // as it shall be shown
  const rules::Language* language;
};

enum class PassedOver { Ignored, Hidden, Unwanted, Link };

struct WalkCallbacks {
  // Null where files of this name are of no interest. Any thread.
  std::function<const rules::Language*(std::string_view path)> language_of;
  // Any thread; `worker` is below `threads`.
  std::function<FileReport(unsigned worker, const WalkedFile& file)> visit;
  // One call at a time, in order. Folders that could not be read come as reports with a skip.
  std::function<void(FileReport& report)> emit;
  // May be empty, as may the next: whether a folder below a named one is gone into. Any thread.
  std::function<bool(const std::string& path)> enter = {};
  // What was not taken and why, a folder once and not what is in it; never files that
  // `language_of` turned down. Any thread.
  std::function<void(const std::string& path, bool is_directory, PassedOver why)> passed_over = {};
};

// Ends early (some files not visited) once `stop` is raised.
// Errors: InvalidArgument (a malformed glob), before anything is visited.
Result<void> walk(const WalkOptions& options, const Environment& environment,
                  const WalkCallbacks& callbacks, const StopFlag& stop);

// "./a//b/" → "a/b"; "." stays ".".
std::string shown_path(std::string_view path);

}  // namespace tinyarms::scan
