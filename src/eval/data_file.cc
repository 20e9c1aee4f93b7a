#include "eval/data_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/utf8.h"
#include "eval/inflate.h"

namespace tinyarms::eval {
namespace {

// Reads one field at `at`, which ends on the separator or the line break after it.
struct CsvCursor {
  std::string_view text;
  std::string_view name;
  size_t at = 0;
  uint64_t line = 1;

  bool end() const { return at >= text.size(); }
  bool at_line_end() const { return end() || text[at] == '\n' || text[at] == '\r'; }

  Error corrupt(const char* what, uint64_t where) const {
    return Error{ErrorCode::Corrupt, what, fmt::format("{}:{}", name, where),
                 "the file must be RFC 4180 CSV; fetch it again"};
  }

  Result<std::string> quoted_field() {
    const uint64_t begin = line;
    std::string field;
    for (++at; !end(); ++at) {
      if (text[at] == '\n') ++line;
      if (text[at] != '"') {
        field += text[at];
      } else if (at + 1 < text.size() && text[at + 1] == '"') {
        field += text[at++];
      } else {
        ++at;
        if (!at_line_end() && text[at] != ',') return corrupt("text after a closing quote", line);
        return field;
      }
    }
    return corrupt("a quote that never ends", begin);
  }

  Result<std::string> field() {
    if (!end() && text[at] == '"') return quoted_field();
    const size_t begin = at;
    while (!at_line_end() && text[at] != ',') ++at;
    return std::string(text.substr(begin, at - begin));
  }

  void skip_line_end() {
    if (!end() && text[at] == '\r') ++at;
    if (!end() && text[at] == '\n') ++at;
    ++line;
  }
};

}  // namespace

Result<std::string> read_data_file(const std::filesystem::path& folder, std::string_view name) {
  const std::filesystem::path path = folder / name;
  auto text = read_file(path, kDataFileBytesMax);
  if (text && is_gzip(*text)) text = inflate(*text, kDataFileBytesMax);
  if (!text) {
    Error error = text.error();
    if (error.code == ErrorCode::NotFound) {
      error.hint = "name the folder with the data: --data DIR; `tinyarms data list` says what "
                   "each task needs";
    }
    if (error.where.empty()) error.where = path.string();
    return error;
  }
  if (const auto invalid = find_invalid_utf8(*text)) {
    const auto begin = text->begin();
    const auto line = 1 + std::count(begin, begin + static_cast<std::ptrdiff_t>(*invalid), '\n');
    return Error{ErrorCode::Corrupt, "invalid UTF-8", fmt::format("{}:{}", path.string(), line),
                 "fetch the file again"};
  }
  return text;
}

Result<void> each_line(std::string_view text, std::string_view name, const LineSink& each) {
  uint64_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (auto done = each(line, fmt::format("{}:{}", name, number)); !done) return done.error();
  }
  return {};
}

Result<std::vector<CsvRow>> parse_csv(std::string_view text, std::string_view name) {
  CsvCursor cursor{.text = text, .name = name};
  std::vector<CsvRow> rows;
  while (!cursor.end()) {
    if (cursor.at_line_end()) {
      cursor.skip_line_end();
      continue;
    }
    CsvRow row{.line = cursor.line, .fields = {}};
    while (true) {
      auto field = cursor.field();
      if (!field) return field.error();
      row.fields.push_back(std::move(*field));
      if (cursor.at_line_end()) break;
      ++cursor.at;  // the comma
    }
    cursor.skip_line_end();
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace tinyarms::eval
