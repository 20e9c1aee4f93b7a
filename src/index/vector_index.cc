#include "index/vector_index.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "base/file.h"
#include "index/checked_stamp.h"
#include "index/scan.h"
#include "index/vector_records.h"
#include "index/vector_segment.h"

namespace tinyarms::index {
namespace {

namespace fs = std::filesystem;

constexpr size_t kDimensionsMax = 1 << 16;
constexpr size_t kCompactRows = 4096;  // of a record that compact() writes, at least
constexpr size_t kRecordStart = 64;  // of a record's payload, after its header
static_assert(sizeof(RecordHeader) <= kRecordStart && sizeof(FileHeader) <= kPage);

size_t whole_pages(size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

bool write_all(int file, std::string_view bytes, size_t offset) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(wrote));
    offset += static_cast<size_t>(wrote);
  }
  return true;
}

bool read_all(int file, void* to, size_t bytes, size_t offset) {
  return ::pread(file, to, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
}

Error invalid(std::string what, std::string hint) {
  return Error{ErrorCode::InvalidArgument, std::move(what), "", std::move(hint)};
}

// A name that is not taken yet.
fs::path aside_name(const fs::path& path) {
  for (int i = 1;; ++i) {
    fs::path name = path;
    name += fmt::format(".damaged-{}", i);
    std::error_code ignored;
    if (!fs::exists(name, ignored)) return name;
  }
}

}  // namespace

struct VectorIndex::Place {
  Segment* segment;
  size_t row;
};

struct VectorIndex::Ids {
  std::unordered_map<int64_t, Place> places;
};

VectorIndex::FileStamp VectorIndex::stamp_of(const struct stat& status) {
  return {.bytes = static_cast<size_t>(status.st_size),
          .seconds = status.st_mtim.tv_sec,
          .nanoseconds = status.st_mtim.tv_nsec};
}

VectorIndex::VectorIndex(fs::path path, VectorIndexOptions options)
    : path_(std::move(path)), options_(std::move(options)) {}

VectorIndex::~VectorIndex() {
  if (file_ >= 0) ::close(file_);
}

Error VectorIndex::io_error(const char* what) const {
  return Error{ErrorCode::Io, fmt::format("{}: {}", what, std::strerror(errno)), path_.string(),
               "free some space or check the folder's permissions"};
}

const char* VectorIndex::kernel() const { return scan_kernel().name; }

Result<std::unique_ptr<VectorIndex>> VectorIndex::open(const fs::path& path,
                                                       VectorIndexOptions options) {
  if (options.dimensions == 0 || options.dimensions > kDimensionsMax ||
      options.scan_dimensions > options.dimensions) {
    return invalid(fmt::format("vectors of {} values, {} of them scanned, cannot be indexed",
                               options.dimensions, options.scan_dimensions),
                   fmt::format("give 1 to {} dimensions", kDimensionsMax));
  }
  if (options.scan_dimensions == 0) options.scan_dimensions = options.dimensions;
  options.scan_dimensions =
      (options.scan_dimensions + kGroupValues - 1) / kGroupValues * kGroupValues;
  std::unique_ptr<VectorIndex> index(new VectorIndex(path, std::move(options)));
  if (auto started = index->start(); !started) return started.error();
  return Result<std::unique_ptr<VectorIndex>>(std::move(index));
}

Result<void> VectorIndex::start() {
  const int access = options_.writable ? O_RDWR | O_CREAT : O_RDONLY;
  file_ = ::open(path_.c_str(), access | O_CLOEXEC, 0600);
  if (file_ < 0) return io_error("cannot be opened");
  if (options_.writable && ::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    return Error{ErrorCode::Unavailable, "another process writes to this index", path_.string(),
                 "wait until it is done"};
  }
  struct stat status {};
  if (::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) {
    return io_error("is not a plain file");
  }
  seen_ = stamp_of(status);
  const size_t bytes = seen_.bytes;
  if (bytes == 0 && options_.writable) return create();
  FileHeader header{};
  bool sound = bytes >= kPage && read_all(file_, &header, sizeof header, 0) && is_sound(header);
  if (sound) {
    const FileHeader own =
        make_file_header(options_.dimensions, options_.scan_dimensions, options_.model);
    if (std::memcmp(&header, &own, sizeof own) != 0) {
      return Error{ErrorCode::InvalidArgument,
                   fmt::format("was made by another model or size: '{}', {} values, {} scanned",
                               std::string(header.model.data(),
                                           ::strnlen(header.model.data(), header.model.size())),
                               header.dimensions, header.scan_dimensions),
                   path_.string(), "delete it and index again"};
    }
    end_ = kPage;
    payloads_checked_ = !options_.writable && was_checked(path_, status);
    auto read = read_records(bytes);
    if (read) {
      const bool whole = !payloads_checked_ && !options_.writable && dropped_bytes_ == 0;
      if (whole) note_checked(path_, status);
      payloads_checked_ = false;
      return {};
    }
    if (read.error().code != ErrorCode::Corrupt) return read;
  }
  if (!options_.writable) {
    return Error{ErrorCode::Corrupt,
                 is_of_another_version(header) ? "was written by another version of the program"
                                               : "is not an index, or a damaged one",
                 path_.string(),
                 "delete it and index again"};
  }
  const fs::path name = aside_name(path_);
  if (::rename(path_.c_str(), name.c_str()) != 0) return io_error("cannot be set aside");
  set_aside_ = name;
  segments_.clear();
  rows_ = size_ = dropped_bytes_ = 0;
  ::close(file_);
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file_ < 0 || ::flock(file_, LOCK_EX | LOCK_NB) != 0) return io_error("cannot be made anew");
  return create();
}

Result<void> VectorIndex::create() {
  std::string page(kPage, '\0');
  const FileHeader header =
      make_file_header(options_.dimensions, options_.scan_dimensions, options_.model);
  std::memcpy(page.data(), &header, sizeof header);
  if (!write_all(file_, page, 0) || ::fsync(file_) != 0) return io_error("cannot be written");
  end_ = kPage;
  return {};
}

// A record that is wrong at the very end was being written when something stopped it; one with
// sound records after it is damage.
Result<void> VectorIndex::read_records(size_t file_bytes) {
  dropped_bytes_ = 0;
  while (end_ < file_bytes) {
    size_t next = file_bytes;
    auto read = read_record(end_, file_bytes, next);
    if (!read) return read.error();
    if (*read) {
      end_ = next;
      continue;
    }
    for (size_t later = end_ + kPage; later + sizeof(RecordHeader) <= file_bytes; later += kPage) {
      RecordHeader header{};
      if (read_all(file_, &header, sizeof header, later) && is_sound(header)) {
        return Error{ErrorCode::Corrupt, "a record is damaged", path_.string(), ""};
      }
    }
    dropped_bytes_ = file_bytes - end_;
    if (options_.writable && ::ftruncate(file_, static_cast<off_t>(end_)) != 0) {
      return io_error("cannot be shortened");
    }
    break;
  }
  return {};
}

Result<bool> VectorIndex::take_in_appended() {
  struct stat named {};
  struct stat own {};
  if (::fstat(file_, &own) != 0) return io_error("cannot be looked at");
  if (::stat(path_.c_str(), &named) != 0 || named.st_ino != own.st_ino ||
      named.st_dev != own.st_dev) {
    return false;
  }
  const FileStamp now = stamp_of(own);
  if (now.bytes < end_) return false;
  // What is still being written is left out as if cut short; it changes the stamp once more.
  if (now == seen_) return true;
  seen_ = now;
  if (auto read = read_records(now.bytes); !read) return read.error();
  return true;
}

// False where the record at `offset` is not whole.
Result<bool> VectorIndex::read_record(size_t offset, size_t file_bytes, size_t& next) {
  RecordHeader header{};
  if (file_bytes - offset < kRecordStart || !read_all(file_, &header, sizeof header, offset) ||
      !is_sound(header) || header.payload_bytes > file_bytes - offset - kRecordStart) {
    return false;
  }
  const size_t bytes = kRecordStart + header.payload_bytes;
  auto mapping = Mapping::of(file_, offset, bytes);
  if (!mapping) return io_error("cannot be mapped");
  const std::string_view payload = mapping->bytes().substr(kRecordStart);
  if (!payloads_checked_ && checksum(payload) != header.payload_checksum) return false;
  next = offset + whole_pages(bytes);
  if (header.kind == RecordKind::Removals) {
    if (header.count > payload.size() / sizeof(int64_t)) return false;
    mark_removed({reinterpret_cast<const int64_t*>(payload.data()), header.count});
    return true;
  }
  if (header.count == 0 || header.count > payload.size() / sizeof(int64_t) ||
      rows_layout(header.count, options_.dimensions, options_.scan_dimensions).bytes !=
          payload.size()) {
    return false;
  }
  auto segment = std::make_unique<Segment>(std::move(*mapping), payload, header.count,
                                           options_.dimensions, options_.scan_dimensions);
  if (header.replaces != 0) mark_removed({segment->ids, segment->rows});
  rows_ += segment->rows;
  size_ += segment->rows;
  if (ids_) {
    for (size_t row = 0; row < segment->rows; ++row) {
      ids_->places[segment->ids[row]] = {segment.get(), row};
    }
  }
  segments_.push_back(std::move(segment));
  return true;
}

void VectorIndex::index_ids() {
  if (ids_) return;
  ids_ = std::make_unique<Ids>();
  ids_->places.reserve(rows_);
  for (const auto& segment : segments_) {
    for (size_t row = 0; row < segment->rows; ++row) {
      ids_->places[segment->ids[row]] = {segment.get(), row};
    }
  }
}

size_t VectorIndex::mark_removed(std::span<const int64_t> ids) {
  index_ids();
  size_t removed = 0;
  for (const int64_t id : ids) {
    const auto found = ids_->places.find(id);
    if (found == ids_->places.end()) continue;
    found->second.segment->scales[found->second.row] = std::numeric_limits<float>::quiet_NaN();
    ids_->places.erase(found);
    ++removed;
  }
  size_ -= removed;
  return removed;
}

Result<void> VectorIndex::write_record(const RecordHeader& header, std::string_view payload) {
  std::string bytes(whole_pages(kRecordStart + payload.size()), '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + kRecordStart, payload.data(), payload.size());
  if (!write_all(file_, bytes, end_) || ::fdatasync(file_) != 0) {
    const Error error = io_error("cannot be written");
    static_cast<void>(!::ftruncate(file_, static_cast<off_t>(end_)));  // else dropped when opened
    return error;
  }
  size_t next = 0;
  auto read = read_record(end_, end_ + bytes.size(), next);
  if (!read) return read.error();
  if (!*read) return Error{ErrorCode::Io, "does not hold what was written", path_.string(), ""};
  end_ = next;
  return {};
}

Result<void> VectorIndex::append(std::span<const int64_t> ids, std::span<const float> vectors) {
  const size_t size = options_.dimensions;
  if (!options_.writable) return invalid("the index was opened to be read", "open it to write");
  if (vectors.size() != ids.size() * size) {
    return invalid(fmt::format("{} values are not {} vectors of {}", vectors.size(), ids.size(),
                               size),
                   "use the model that the index was made with");
  }
  if (ids.empty()) return {};
  if (std::unordered_set<int64_t>(ids.begin(), ids.end()).size() != ids.size()) {
    return invalid("the same id comes twice", "give each vector its own");
  }
  std::vector<float> unit(vectors.begin(), vectors.end());
  for (size_t row = 0; row < ids.size(); ++row) {
    if (!scale_to_unit(std::span(unit).subspan(row * size, size))) {
      return invalid(fmt::format("vector {} is zero or not finite", row), "leave it out");
    }
  }
  const std::string payload = rows_payload(ids, unit, size, options_.scan_dimensions);
  RecordHeader header = make_record_header(RecordKind::Rows, ids.size(), payload);
  if (rows_ != 0) index_ids();
  const bool replaces = ids_ && std::any_of(ids.begin(), ids.end(), [&](int64_t id) {
                          return ids_->places.contains(id);
                        });
  if (replaces) mark_replacing(header);
  return write_record(header, payload);
}

std::vector<int64_t> VectorIndex::ids() const {
  std::vector<int64_t> all;
  all.reserve(size_);
  for (const auto& segment : segments_) {
    for (size_t row = 0; row < segment->rows; ++row) {
      if (!std::isnan(segment->scales[row])) all.push_back(segment->ids[row]);
    }
  }
  return all;
}

Result<size_t> VectorIndex::remove(std::span<const int64_t> ids) {
  if (!options_.writable) return invalid("the index was opened to be read", "open it to write");
  index_ids();
  std::vector<int64_t> known;
  for (const int64_t id : ids) {
    if (ids_->places.contains(id)) known.push_back(id);
  }
  if (known.empty()) return size_t{0};
  const size_t before = size_;
  const std::string_view payload(reinterpret_cast<const char*>(known.data()),
                                 known.size() * sizeof(int64_t));
  const RecordHeader header = make_record_header(RecordKind::Removals, known.size(), payload);
  if (auto wrote = write_record(header, payload); !wrote) return wrote.error();
  return before - size_;
}

Result<void> VectorIndex::compact() {
  if (!options_.writable) return invalid("the index was opened to be read", "open it to write");
  PendingFile pending(path_);
  {
    auto fresh = VectorIndex::open(pending.path(), options_);
    if (!fresh) return fresh.error();
    std::vector<int64_t> ids;
    std::vector<float> vectors;
    // Many small records, as single files leave them, become few.
    for (const auto& segment : segments_) {
      for (size_t row = 0; row < segment->rows; ++row) {
        if (std::isnan(segment->scales[row])) continue;
        ids.push_back(segment->ids[row]);
        vectors.insert(vectors.end(), segment->vector(row),
                       segment->vector(row) + options_.dimensions);
      }
      if (ids.size() < kCompactRows && segment != segments_.back()) continue;
      if (auto added = (*fresh)->append(ids, vectors); !added) return added;
      ids.clear();
      vectors.clear();
    }
  }
  if (auto committed = pending.commit(); !committed) return committed;
  segments_.clear();
  ids_.reset();
  rows_ = size_ = dropped_bytes_ = 0;
  ::close(file_);
  return start();
}

}  // namespace tinyarms::index
