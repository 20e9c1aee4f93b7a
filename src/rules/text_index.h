// Lines and columns of byte offsets in one text, many of them and in any order, also in texts of
// one endless line: one pass over the text, then a search and at most kStride bytes per question.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "rules/finding.h"

namespace tinyarms::rules {

class TextIndex {
 public:
  // `text` must outlive the index.
  explicit TextIndex(std::string_view text);

  // Zero-based, columns in characters. An offset beyond the text counts as its end.
  CharPosition position(size_t offset) const;
  // How many characters begin in [from, to).
  size_t characters(size_t from, size_t to) const { return count(to) - count(from); }

  size_t line_of(size_t offset) const;
  size_t lines() const { return line_starts_.size(); }
  // Without its newline, but with the carriage return before it.
  std::string_view line(size_t number) const;
  size_t line_start(size_t number) const { return line_starts_[number]; }
  size_t line_end(size_t number) const;  // before the newline

  std::string_view text() const { return text_; }

 private:
  static constexpr size_t kStride = 1024;
  size_t count(size_t offset) const;  // characters that begin before `offset`

  std::string_view text_;
  std::vector<size_t> line_starts_;
  std::vector<size_t> characters_before_;  // at every multiple of kStride
};

// How many bytes at the start of `text` hold `count` characters, or all of them.
size_t bytes_of_characters(std::string_view text, size_t count);

}  // namespace tinyarms::rules
