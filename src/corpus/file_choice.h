// Which files of a tree are worth indexing and as what: by name first, so that most of what is not
// is never read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rules/language.h"

namespace tinyarms::corpus {

// Why a file or a folder was left out. Every one is counted in the report of a run.
enum class LeftOut {
  Ignored,     // .gitignore, .ignore
  Hidden,      // a folder whose name begins with a dot
  Vendored,    // node_modules, vendor, site-packages, …; minified files, lock files
  Secret,      // looks like a credential
  Binary,      // by its name, or by NUL bytes
  Data,        // tables and records, and generated or large markup
  NotUtf8,
  TooLarge,
  Unreadable,  // the system refused; also sockets, pipes and the like
  Changing,    // another process wrote to it while it was read
  Link,        // a symbolic link
};
inline constexpr size_t kLeftOutCount = 11;
std::string_view left_out_name(LeftOut reason);  // "ignored", "too_large": as in the JSON

// By the path alone; nothing where the file has to be looked at.
std::optional<LeftOut> leave_out_file(std::string_view path);
bool is_vendored_folder(std::string_view path);

// By the text of a file that could be read.
std::optional<LeftOut> leave_out_text(std::string_view text, std::string_view language);

// "python", "markdown", "rst", else the ending or "text".
std::string language_name(std::string_view path);

inline constexpr uint64_t kIndexedBytesMax = 1 << 20;

}  // namespace tinyarms::corpus
