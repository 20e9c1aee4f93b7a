// One file's text as a scan may use it: whole, unchanged while it was read, valid UTF-8, no binary
// data, not over the limit. Read into memory rather than mapped: a mapped file that another process
// truncates kills its reader, and at parsing speed the copy costs under one percent.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tinyarms::scan {

inline constexpr uint64_t kSourceBytesMax = 64 << 20;  // --max-file-size changes it

enum class SkipReason {
  TooLarge,
  Binary,      // NUL bytes beside invalid UTF-8, or many of them
  NotUtf8,
  Unreadable,  // the system refused; the detail says why
  Changed,     // another process wrote to it while it was read, twice in a row
  NotAFile,    // a socket, a pipe, a device
  BrokenLink,
  LinkLoop,
  TooCostly,   // the parser or a rule used up its budget
  NoLanguage,  // named on the command line, but its name tells of no language with rules
};
std::string_view skip_reason_name(SkipReason reason);  // "too large"

// Whether a scan with such a skip did not do all it was asked to.
bool is_incomplete(SkipReason reason);

struct Skip {
  SkipReason reason = SkipReason::Unreadable;
  std::string detail;  // "permission denied", "invalid byte at 17"; may be empty
};

// What identifies a version of a file.
struct FileStamp {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t bytes = 0;
  int64_t modified_ns = 0;
  mode_t mode = 0;

  bool operator==(const FileStamp& other) const = default;
};
std::optional<FileStamp> stamp_of(const std::string& path);

struct SourceFile {
  std::string text;
  FileStamp stamp;
};

// Fills `into` (its memory is used again); the reason where the file cannot be scanned.
std::optional<Skip> read_source(const std::string& path, uint64_t bytes_max, SourceFile& into);

// The checks on the bytes alone, for text that comes from elsewhere (standard input).
std::optional<Skip> check_source(std::string_view text);

}  // namespace tinyarms::scan
