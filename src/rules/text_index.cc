#include "rules/text_index.h"

#include <algorithm>
#include <cstring>

namespace tinyarms::rules {
namespace {

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

size_t count_characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

}  // namespace

TextIndex::TextIndex(std::string_view text) : text_(text), line_starts_{0} {
  size_t at = text.find('\n');
  while (at != std::string_view::npos) {
    line_starts_.push_back(at + 1);
    at = text.find('\n', at + 1);
  }
  size_t total = 0;
  for (size_t i = 0; i <= text.size(); i += kStride) {
    characters_before_.push_back(total);
    total += count_characters(text.substr(i, kStride));
  }
}

size_t TextIndex::count(size_t offset) const {
  offset = std::min(offset, text_.size());
  const size_t block = offset / kStride;
  return characters_before_[block] +
         count_characters(text_.substr(block * kStride, offset - block * kStride));
}

size_t TextIndex::line_of(size_t offset) const {
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return static_cast<size_t>(after - line_starts_.begin()) - 1;
}

CharPosition TextIndex::position(size_t offset) const {
  const size_t number = line_of(std::min(offset, text_.size()));
  return {.line = static_cast<uint32_t>(number),
          .column = static_cast<uint32_t>(characters(line_starts_[number], offset))};
}

size_t TextIndex::line_end(size_t number) const {
  return number + 1 < line_starts_.size() ? line_starts_[number + 1] - 1 : text_.size();
}

std::string_view TextIndex::line(size_t number) const {
  const size_t start = line_starts_[number];
  return text_.substr(start, line_end(number) - start);
}

size_t bytes_of_characters(std::string_view text, size_t count) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (begins_character(text[i]) && count-- == 0) return i;
  }
  return text.size();
}

}  // namespace tinyarms::rules
