#include "scan/file_language.h"

#include <fmt/format.h>

namespace tinyarms::scan {

Result<void> FileLanguages::add(std::string_view glob, std::string_view language) {
  const rules::Language* known = rules::find_language(language);
  if (known == nullptr) {
    return Error{ErrorCode::Unsupported,
                 fmt::format("languageGlobs: this build has no language '{}'", language), "",
                 "tinyarms rules list --languages names those it has"};
  }
  IgnoreFile globs;
  globs.add(glob);
  if (globs.empty()) {
    return Error{ErrorCode::Config,
                 fmt::format("languageGlobs of {}: '{}' is no glob", language, glob), "",
                 "name files by a glob such as '*.h'"};
  }
  overrides_.push_back({std::move(globs), known});
  return {};
}

const rules::Language* FileLanguages::of(std::string_view path) const {
  for (const Override& entry : overrides_) {
    if (entry.globs.match(path, false) == Verdict::Ignored) return entry.language;
  }
  return rules::language_of_path(path);
}

}  // namespace tinyarms::scan
