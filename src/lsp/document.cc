#include "lsp/document.h"

#include <algorithm>

namespace tinyarms::lsp {
namespace {

constexpr size_t kBlockBytes = 4096;

// Bytes of the character that begins so. The text is UTF-8: JSON has no other.
size_t length_of(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xE0) return 2;
  return first < 0xF0 ? 3 : 4;
}

bool is_within_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// UTF-16 units of the characters that begin there.
size_t units_of(std::string_view text) {
  size_t units = 0;
  for (const char c : text) {
    units += is_within_character(c) ? 0 : 1;
    units += static_cast<unsigned char>(c) >= 0xF0 ? 1 : 0;
  }
  return units;
}

}  // namespace

Document::Document(std::string language, std::string text)
    : language_(std::move(language)), text_(std::move(text)) {
  find_lines(0);
}

// Lines end with "\n", "\r\n" or a "\r" alone. Those up to `from_line` are known to begin right.
void Document::find_lines(size_t from_line) {
  size_t at = 0;
  if (from_line == 0 || from_line >= lines_.size()) {
    lines_.assign(1, 0);
  } else {
    lines_.resize(from_line + 1);
    at = lines_.back();
  }
  count_units(at);
  while (at < text_.size()) {
    const size_t end = text_.find_first_of("\r\n", at);
    if (end == std::string::npos) return;
    at = end + 1;
    if (text_[end] == '\r' && at < text_.size() && text_[at] == '\n') ++at;
    lines_.push_back(at);
  }
}

// What lies before `from` is counted already.
void Document::count_units(size_t from) {
  units_.resize(std::min(units_.size(), from / kBlockBytes + 1));
  if (units_.empty()) units_.push_back(0);
  while (units_.size() * kBlockBytes <= text_.size()) {
    const size_t begin = (units_.size() - 1) * kBlockBytes;
    units_.push_back(units_.back() + units_of(std::string_view(text_).substr(begin, kBlockBytes)));
  }
}

size_t Document::units_before(size_t offset) const {
  const size_t block = offset / kBlockBytes;
  const size_t begin = block * kBlockBytes;
  return units_[block] + units_of(std::string_view(text_).substr(begin, offset - begin));
}

size_t Document::line_end(size_t line) const {
  size_t end = line + 1 < lines_.size() ? lines_[line + 1] : text_.size();
  if (line + 1 >= lines_.size()) return end;
  if (end > lines_[line] && text_[end - 1] == '\n') --end;
  if (end > lines_[line] && text_[end - 1] == '\r') --end;
  return end;
}

size_t Document::offset_of(Position position) const {
  if (position.line >= lines_.size()) return text_.size();
  const size_t end = line_end(position.line);
  size_t at = lines_[position.line];
  uint32_t units = 0;
  while (at < end && units < position.character) {
    const size_t length = length_of(static_cast<unsigned char>(text_[at]));
    units += length == 4 ? 2 : 1;
    if (units > position.character) break;  // between the halves of a pair
    at += length;
  }
  return std::min(at, end);
}

Position Document::position_of(size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto after = std::upper_bound(lines_.begin(), lines_.end(), offset);
  const size_t line = static_cast<size_t>(after - lines_.begin()) - 1;
  while (offset < text_.size() && is_within_character(text_[offset])) --offset;
  return {static_cast<uint32_t>(line),
          static_cast<uint32_t>(units_before(offset) - units_before(lines_[line]))};
}

void Document::replace_all(std::string text) {
  text_ = std::move(text);
  find_lines(0);
}

bool Document::replace(const Range& range, std::string_view with) {
  const size_t begin = offset_of(range.start);
  const size_t end = offset_of(range.end);
  if (end < begin) return false;
  const size_t line = position_of(begin).line;
  text_.replace(begin, end - begin, with);
  // A line break may have become one with its neighbour: the line before is looked at again.
  find_lines(line > 0 ? line - 1 : 0);
  return true;
}

}  // namespace tinyarms::lsp
