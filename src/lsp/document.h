// A text as an editor has it open. Editors count columns in UTF-16 units; everything else here
// counts bytes, and this is the border.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::lsp {

struct Position {
  uint32_t line = 0;       // from 0
  uint32_t character = 0;  // UTF-16 units from the line's start
  bool operator==(const Position&) const = default;
  auto operator<=>(const Position&) const = default;
};

struct Range {
  Position start{};
  Position end{};
  bool operator==(const Range&) const = default;
};

class Document {
 public:
  Document(std::string language, std::string text);

  const std::string& language() const { return language_; }
  const std::string& text() const { return text_; }

  // What lies beyond a line's end is its end, beyond the last line the end of the text; a position
  // within a character is its start.
  size_t offset_of(Position position) const;
  Position position_of(size_t offset) const;

  void replace_all(std::string text);
  // False where the range ends before it begins; nothing was changed then.
  bool replace(const Range& range, std::string_view with);

 private:
  void find_lines(size_t from_line);
  size_t line_end(size_t line) const;  // before its line break
  void count_units(size_t from);
  size_t units_before(size_t offset) const;

  std::string language_;
  std::string text_;
  std::vector<size_t> lines_;  // where each begins
  std::vector<size_t> units_;  // UTF-16 units before each block: a text may be one line
};

}  // namespace tinyarms::lsp
