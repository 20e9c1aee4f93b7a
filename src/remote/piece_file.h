// The file that a download fills piece by piece, with its journal: which pieces are there. One
// process has it at a time. A piece counts once its bytes were written; the journal is replaced
// whole, so a killed process leaves the one before.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::remote {

struct PieceIdentity {
  std::string version;  // "sha256:…" or "etag:…": pieces of another version are thrown away
  uint64_t bytes = 0;
};

class PieceFile {
 public:
  // Errors: Unavailable (another process has it), Io.
  static Result<PieceFile> open(const std::filesystem::path& path, const PieceIdentity& identity);
  ~PieceFile();
  PieceFile(PieceFile&& other) noexcept;
  PieceFile& operator=(PieceFile&&) = delete;
  PieceFile(const PieceFile&) = delete;

  size_t pieces() const { return done_.size(); }
  bool has(size_t piece) const { return done_[piece]; }
  uint64_t begin(size_t piece) const { return piece * piece_bytes_; }
  uint64_t end(size_t piece) const;
  uint64_t bytes_there() const;

  // Errors: Io.
  Result<void> write(uint64_t offset, std::string_view bytes);
  Result<void> mark(size_t piece);
  Result<void> mark_all();

 private:
  PieceFile() = default;
  Result<void> save();
  void load();

  std::filesystem::path path_;
  PieceIdentity identity_;
  int file_ = -1;
  uint64_t piece_bytes_ = 0;
  std::vector<bool> done_;
};

std::filesystem::path journal_of(const std::filesystem::path& part);

}  // namespace tinyarms::remote
