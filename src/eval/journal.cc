#include "eval/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/file.h"
#include "base/file_lock.h"

namespace tinyarms::eval {
namespace {

constexpr size_t kJournalBytesMax = size_t{4} << 30;

Error io_error(const std::filesystem::path& path, const char* what) {
  return Error{ErrorCode::Io, fmt::format("{}: {}", what, std::strerror(errno)), path.string(),
               "free some space or choose another --output, then go on with --resume"};
}

// The lines of a file that end with a newline: what comes after the last one was torn off.
struct WholeLines {
  std::string bytes;
  struct Line {
    std::string_view text;
    uint64_t end = 0;  // offset after its newline
  };
  std::vector<Line> lines() const {
    std::vector<Line> all;
    size_t begin = 0;
    for (size_t end = bytes.find('\n'); end != std::string::npos; end = bytes.find('\n', begin)) {
      all.push_back({std::string_view(bytes).substr(begin, end - begin), end + 1});
      begin = end + 1;
    }
    return all;
  }
};

Result<WholeLines> read_lines(const std::filesystem::path& path) {
  auto bytes = read_file(path, kJournalBytesMax);
  if (!bytes) return bytes.error();
  return WholeLines{std::move(*bytes)};
}

int open_for_append(const std::filesystem::path& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() >= 0) ::fsync(opened.get());
}

}  // namespace

std::filesystem::path unmeasured_path(const std::filesystem::path& records) {
  std::filesystem::path path = records;
  return path.replace_extension(".unmeasured.jsonl");
}

Result<JournalContents> read_journal(const std::filesystem::path& path) {
  auto read = read_lines(path);
  if (!read) return read.error();
  JournalContents contents;
  size_t complete = 0;  // records of complete items
  uint64_t number = 0;
  for (const WholeLines::Line& line : read->lines()) {
    ++number;
    const auto place = [&] { return fmt::format("{}:{}", path.string(), number); };
    auto record = parse_bench_record(line.text);
    if (!record) {
      Error error = record.error();
      error.where = place();
      return error;
    }
    const bool kept = record->kept;
    if (kept && !contents.ids.insert(record->id).second) {
      return Error{ErrorCode::Corrupt, fmt::format("`{}` twice", record->id), place(),
                   "two runs were written into one file: measure again into another --output"};
    }
    contents.records.push_back(std::move(*record));
    if (kept) {
      complete = contents.records.size();
      contents.whole_bytes = line.end;
    }
  }
  contents.records.resize(complete);
  return contents;
}

Result<std::vector<Unmeasured>> read_unmeasured(const std::filesystem::path& path) {
  std::vector<Unmeasured> failures;
  auto read = read_lines(path);
  if (!read) {
    if (read.error().code == ErrorCode::NotFound) return failures;
    return read.error();
  }
  uint64_t number = 0;
  for (const WholeLines::Line& line : read->lines()) {
    ++number;
    auto failure = parse_unmeasured(line.text);
    if (!failure) {
      Error error = failure.error();
      error.where = fmt::format("{}:{}", path.string(), number);
      return error;
    }
    failures.push_back(std::move(*failure));
  }
  return failures;
}

Result<std::unique_ptr<Journal>> Journal::open(const std::filesystem::path& path, Begin begin) {
  std::error_code problem;
  std::filesystem::create_directories(path.parent_path(), problem);
  if (begin == Begin::Afresh && std::filesystem::exists(path, problem)) {
    return Error{ErrorCode::InvalidArgument, "holds the records of an earlier run", path.string(),
                 "go on with --resume, or choose another --output"};
  }
  const std::filesystem::path failures = unmeasured_path(path);
  std::unique_ptr<Journal> journal(
      new Journal(path, open_for_append(path), open_for_append(failures)));
  if (journal->records_.get() < 0) return io_error(path, "cannot be written");
  if (journal->failures_.get() < 0) return io_error(failures, "cannot be written");
  if (!lock_file(journal->records_.get(), kLockPatience)) {
    return Error{ErrorCode::Unavailable, "another process is writing it", path.string(),
                 "wait until it has ended"};
  }
  auto contents = read_journal(path);
  if (!contents) return contents.error();
  // Failures of an earlier run are tried again, so they are no longer the latest word.
  if (::ftruncate(journal->records_.get(), static_cast<off_t>(contents->whole_bytes)) != 0 ||
      ::ftruncate(journal->failures_.get(), 0) != 0) {
    return io_error(path, "cannot be healed");
  }
  journal->contents_ = std::move(*contents);
  sync_folder(path.parent_path());
  return journal;
}

Result<void> Journal::write(const Descriptor& file, std::string_view lines) {
  struct stat before {};
  if (::fstat(file.get(), &before) != 0) return io_error(path_, "cannot be written");
  while (!lines.empty()) {
    const ssize_t written = ::write(file.get(), lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const Error error = io_error(path_, "cannot be written");
      if (::ftruncate(file.get(), before.st_size) != 0) return error.wrap("and not taken back");
      return error;
    }
    lines.remove_prefix(static_cast<size_t>(written));
  }
  if (::fsync(file.get()) != 0) return io_error(path_, "cannot be flushed to the disk");
  return {};
}

Result<void> Journal::append(const std::vector<BenchRecord>& item) {
  std::string lines;
  for (const BenchRecord& record : item) lines += record_line(record);
  if (auto written = write(records_, lines); !written) return written;
  contents_.ids.insert(item.back().id);
  contents_.records.insert(contents_.records.end(), item.begin(), item.end());
  return {};
}

Result<void> Journal::append(const Unmeasured& failure) {
  return write(failures_, unmeasured_line(failure));
}

}  // namespace tinyarms::eval
