// Which language a file is in, by its name alone: a project's `languageGlobs` first, then the
// file's ending.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/language.h"
#include "scan/ignore_file.h"

namespace tinyarms::scan {

class FileLanguages {
 public:
  // languageGlobs: files that match `glob` are in `language`; a glob without a slash matches the
  // file's own name in any folder. The first addition that matches wins.
  // Errors: Config (no glob), Unsupported (this build has no such language).
  Result<void> add(std::string_view glob, std::string_view language);

  // Null where the name tells of no language of this build.
  const rules::Language* of(std::string_view path) const;

 private:
  struct Override {
    IgnoreFile globs;
    const rules::Language* language;
  };
  std::vector<Override> overrides_;
};

}  // namespace tinyarms::scan
