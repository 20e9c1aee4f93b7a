// The files that tasks read: size-limited, with the place (file:line) in every complaint.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::eval {

inline constexpr size_t kDataFileBytesMax = size_t{1} << 30;

// The whole of folder/name, unpacked where it is gzip. Errors: NotFound (the hint tells of --data
// and `data list`), Io, OverBudget, Corrupt (not UTF-8; where = "file:line").
Result<std::string> read_data_file(const std::filesystem::path& folder, std::string_view name);

// Calls `each` for every line that is not blank; `where` is "file:line". Its error ends the
// reading and is returned.
using LineSink = std::function<Result<void>(std::string_view line, const std::string& where)>;
Result<void> each_line(std::string_view text, std::string_view name, const LineSink& each);

struct CsvRow {
  uint64_t line = 0;  // 1-based, of its first character
  std::vector<std::string> fields;
};

// RFC 4180: quotes around a field, doubled inside it, line breaks allowed in it; empty lines are
// passed over. Errors: Corrupt (a quote that never ends, text after a closing quote), where
// "name:line".
Result<std::vector<CsvRow>> parse_csv(std::string_view text, std::string_view name);

}  // namespace tinyarms::eval
