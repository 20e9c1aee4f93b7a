// Exact search for the nearest of many vectors, kept in a file: a 4-bit scan of every row finds
// some candidates, their full vectors decide. With `scan_dimensions` below `dimensions` the scan
// sees the front of each vector only (for models trained so that the front ranks well by itself).
//
// One process writes at a time (flock); any number read what was there when they opened it, or last
// took in what was appended since.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

struct stat;

namespace tinyarms::index {

struct RecordHeader;

struct VectorIndexOptions {
  size_t dimensions = 0;
  size_t scan_dimensions = 0;  // 0: all; rounded up to a multiple of 8
  std::string model;           // what makes the vectors, e.g. a hash; must match the file's
  bool writable = true;
};

struct SearchOptions {
  size_t count = 10;
  size_t candidates = 0;  // that are compared in full; 0: enough for a recall above 0.99
};

struct Match {
  int64_t id = 0;
  float cosine = 0;
};

// Searches from any number of threads, as long as none changes it.
class VectorIndex {
 public:
  struct Segment;  // the rows of one record

  // Opens or makes the file. A file that is foreign or damaged is renamed (set_aside()) and an
  // empty one made in its place; a record cut short at its end is dropped. Errors:
  // InvalidArgument (the file is of another model or size: index again), Unavailable (another
  // process writes), Io.
  static Result<std::unique_ptr<VectorIndex>> open(const std::filesystem::path& path,
                                                   VectorIndexOptions options);
  ~VectorIndex();
  VectorIndex(const VectorIndex&) = delete;
  VectorIndex& operator=(const VectorIndex&) = delete;

  // For one that was opened to be read: what another process appended since is there from now on.
  // Two calls of stat where nothing was. False: the file is another one by now (compacted, made
  // anew) and has to be opened again. Errors: Corrupt, Io.
  Result<bool> take_in_appended();

  size_t size() const { return size_; }          // rows that are not removed
  size_t rows() const { return rows_; }          // in the file, removed ones too
  size_t dropped_bytes() const { return dropped_bytes_; }
  const std::optional<std::filesystem::path>& set_aside() const { return set_aside_; }
  const char* kernel() const;

  // `vectors`: ids × dimensions, of any length above zero; kept at length 1. On disk when it
  // returns. An id that is there already is replaced. Errors: InvalidArgument (sizes, a vector that
  // is zero or not finite, an id twice; nothing is changed), Io.
  Result<void> append(std::span<const int64_t> ids, std::span<const float> vectors);

  std::vector<int64_t> ids() const;  // of rows that are not removed, in no order

  // Unknown ids are passed over. Returns how many went. Errors: Io.
  Result<size_t> remove(std::span<const int64_t> ids);

  // Best first; of equals the smaller id. Errors: InvalidArgument (another size, zero, not finite).
  Result<std::vector<Match>> search(std::span<const float> query,
                                    const SearchOptions& options) const;

  // The same by comparing every vector in full: what search() is measured against.
  Result<std::vector<Match>> search_in_full(std::span<const float> query, size_t count) const;

  // Rewrites the file without removed rows. Errors: Io; the old file stands then.
  Result<void> compact();

 private:
  struct Place;  // segment and row of an id
  struct FileStamp {
    size_t bytes = 0;
    int64_t seconds = 0;
    int64_t nanoseconds = 0;
    bool operator==(const FileStamp&) const = default;
  };

  static FileStamp stamp_of(const struct stat& status);
  explicit VectorIndex(std::filesystem::path path, VectorIndexOptions options);
  Result<void> start();
  Result<void> create();
  Result<void> read_records(size_t file_bytes);
  Result<bool> read_record(size_t offset, size_t file_bytes, size_t& next);
  Result<void> write_record(const RecordHeader& header, std::string_view payload);
  Result<std::vector<float>> unit_query(std::span<const float> query) const;
  size_t mark_removed(std::span<const int64_t> ids);
  void index_ids();
  Error io_error(const char* what) const;

  std::filesystem::path path_;
  VectorIndexOptions options_;
  int file_ = -1;
  size_t end_ = 0;  // of the last sound record
  FileStamp seen_;  // of the file when its records were read last
  bool payloads_checked_ = false;  // the records read now need not be summed again
  size_t rows_ = 0;
  size_t size_ = 0;
  size_t dropped_bytes_ = 0;
  std::optional<std::filesystem::path> set_aside_;
  std::vector<std::unique_ptr<Segment>> segments_;
  struct Ids;
  std::unique_ptr<Ids> ids_;  // made when first needed
};

}  // namespace tinyarms::index
