// A subject's records on disk, safe against kill -9 and power cuts: every item is appended with
// one write and one fsync; what an interrupted write left behind is cut off when the file is opened
// again. Two processes never write one journal.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "eval/bench_record.h"

namespace tinyarms::eval {

// The records of complete items, in order, answers included. An item is complete when its last
// line says `kept`; a torn end is left out. Errors: NotFound, Io, Corrupt (file:line; an item
// twice too), Unsupported.
struct JournalContents {
  std::vector<BenchRecord> records;
  std::set<std::string> ids;    // of complete items
  uint64_t whole_bytes = 0;     // the file up to the end of the last complete item
};
Result<JournalContents> read_journal(const std::filesystem::path& path);

// The failures of the latest run over the same items; a torn end is left out. No file: none.
Result<std::vector<Unmeasured>> read_unmeasured(const std::filesystem::path& path);

// Not thread-safe.
class Journal {
 public:
  enum class Begin { Afresh, Resume };

  // Afresh fails where there is a file already. Resume takes what there is, also nothing.
  // Errors: InvalidArgument (exists), Unavailable (another process writes it), Io, Corrupt.
  static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& path, Begin begin);

  bool has(const std::string& id) const { return contents_.ids.contains(id); }
  const std::vector<BenchRecord>& records() const { return contents_.records; }

  // All lines of one item, the kept one last. Errors: Io (the disk is full); the item counts as
  // not written then, and what was written of it is taken back.
  Result<void> append(const std::vector<BenchRecord>& item);
  Result<void> append(const Unmeasured& failure);

 private:
  Journal(std::filesystem::path path, int records, int failures)
      : path_(std::move(path)), records_(records), failures_(failures) {}
  Result<void> write(const Descriptor& file, std::string_view lines);

  std::filesystem::path path_;
  Descriptor records_;
  Descriptor failures_;
  JournalContents contents_;
};

// Beside the records: "x.jsonl" → "x.unmeasured.jsonl".
std::filesystem::path unmeasured_path(const std::filesystem::path& records);

}  // namespace tinyarms::eval
