#include "remote/piece_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/file_lock.h"

namespace tinyarms::remote {
namespace {

namespace fs = std::filesystem;
using PieceJson = nlohmann::json;

constexpr uint64_t kPieceMin = 256 << 10;
constexpr uint64_t kPieceMax = 16 << 20;
constexpr uint64_t kPiecesAimed = 64;
constexpr size_t kJournalBytesMax = 1 << 20;
constexpr uint64_t kPieceSpaceMargin = 1 << 20;

Error piece_error(const fs::path& path) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  return Error{ErrorCode::Io, std::strerror(errno), path.string(),
               full ? "free some disk space and call it again: what came is kept"
                    : "check the folder and its permissions"};
}

Result<void> check_room(const fs::path& path, uint64_t bytes) {
  std::error_code problem;
  const fs::space_info space = fs::space(path.parent_path(), problem);
  if (problem || space.available >= bytes + kPieceSpaceMargin) return {};
  return Error{ErrorCode::Io,
               fmt::format("the disk is too full: {:.1f} MB are needed, {:.1f} MB are free",
                           static_cast<double>(bytes + kPieceSpaceMargin) / 1e6,
                           static_cast<double>(space.available) / 1e6),
               path.parent_path().string(), "free some disk space and try again"};
}

}  // namespace

fs::path journal_of(const fs::path& part) {
  fs::path journal = part;
  journal += ".json";
  return journal;
}

Result<PieceFile> PieceFile::open(const fs::path& path, const PieceIdentity& identity) {
  PieceFile opened;
  opened.path_ = path;
  opened.identity_ = identity;
  std::error_code problem;
  fs::create_directories(path.parent_path(), problem);
  opened.file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (opened.file_ < 0) return piece_error(path);
  if (!lock_file(opened.file_, kLockPatience)) {
    return Error{ErrorCode::Unavailable, "another process is fetching it", path.string(),
                 "wait for that one, then call again"};
  }
  opened.piece_bytes_ = std::clamp(identity.bytes / kPiecesAimed, kPieceMin, kPieceMax);
  opened.done_.assign((identity.bytes + opened.piece_bytes_ - 1) / opened.piece_bytes_, false);
  opened.load();
  if (opened.bytes_there() == 0 && ::ftruncate(opened.file_, 0) != 0) return piece_error(path);
  if (auto room = check_room(path, identity.bytes - opened.bytes_there()); !room) {
    return room.error();
  }
  if (::ftruncate(opened.file_, static_cast<off_t>(identity.bytes)) != 0) return piece_error(path);
  if (auto saved = opened.save(); !saved) return saved.error();
  return opened;
}

PieceFile::~PieceFile() {
  if (file_ >= 0) ::close(file_);
}

PieceFile::PieceFile(PieceFile&& other) noexcept
    : path_(std::move(other.path_)), identity_(std::move(other.identity_)),
      file_(std::exchange(other.file_, -1)), piece_bytes_(other.piece_bytes_),
      done_(std::move(other.done_)) {}

uint64_t PieceFile::end(size_t piece) const {
  return std::min(begin(piece) + piece_bytes_, identity_.bytes);
}

uint64_t PieceFile::bytes_there() const {
  uint64_t bytes = 0;
  for (size_t i = 0; i < done_.size(); ++i) bytes += done_[i] ? end(i) - begin(i) : 0;
  return bytes;
}

// A journal that is missing, broken or of another version counts as none.
void PieceFile::load() {
  struct stat facts {};
  const bool whole = ::fstat(file_, &facts) == 0 &&
                     static_cast<uint64_t>(facts.st_size) == identity_.bytes;
  auto text = read_file(journal_of(path_), kJournalBytesMax);
  if (!whole || !text) return;
  const PieceJson json = PieceJson::parse(*text, nullptr, /*allow_exceptions=*/false);
  try {
    const auto pieces = json.at("pieces").get<std::string>();
    if (json.at("version") != identity_.version || json.at("bytes") != identity_.bytes ||
        json.at("piece_bytes") != piece_bytes_ || pieces.size() != done_.size()) {
      return;
    }
    for (size_t i = 0; i < pieces.size(); ++i) done_[i] = pieces[i] == '1';
  } catch (const PieceJson::exception&) {
    return;
  }
}

Result<void> PieceFile::save() {
  std::string pieces;
  for (const bool done : done_) pieces += done ? '1' : '0';
  const PieceJson json = {{"version", identity_.version},
                     {"bytes", identity_.bytes},
                     {"piece_bytes", piece_bytes_},
                     {"pieces", pieces}};
  return write_file_atomically(journal_of(path_),
                               json.dump(-1, ' ', false, PieceJson::error_handler_t::replace));
}

Result<void> PieceFile::write(uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return piece_error(path_);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
  }
  return {};
}

// The bytes reach the disk before the journal says so.
Result<void> PieceFile::mark(size_t piece) {
  if (::fdatasync(file_) != 0) return piece_error(path_);
  done_[piece] = true;
  return save();
}

Result<void> PieceFile::mark_all() {
  if (::fdatasync(file_) != 0) return piece_error(path_);
  done_.assign(done_.size(), true);
  return save();
}

}  // namespace tinyarms::remote
