// Reading and writing whole files without surprises: sizes are limited, writes appear whole or
// not at all (temporary file in the same folder, fsync, rename).
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tinyarms {

// Errors: NotFound, Io, OverBudget (larger than `bytes_max`; nothing is read then).
Result<std::string> read_file(const std::filesystem::path& path, size_t bytes_max);

// Creates missing parent folders. Errors: Io; the old file, if any, is untouched then.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view bytes);
// The pieces, one after the other.
Result<void> write_file_atomically(const std::filesystem::path& path,
                                   std::span<const std::string_view> pieces);

// A file under construction beside its destination: `path()` is the temporary name to write to,
// `commit()` puts it in place, destruction without commit removes it.
class PendingFile {
 public:
  explicit PendingFile(std::filesystem::path destination);
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const std::filesystem::path& path() const { return temporary_; }
  Result<void> commit();  // fsync, then rename. Errors: Io.
  // The same, unless something is at the destination already: false then, and nothing changed.
  Result<bool> commit_new();

 private:
  Result<void> flush();

  std::filesystem::path destination_;
  std::filesystem::path temporary_;
};

}  // namespace tinyarms
