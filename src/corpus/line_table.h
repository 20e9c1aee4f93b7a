// Where the lines of a text begin and end. Lines count from 1.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace tinyarms::corpus {

class LineTable {
 public:
  // `text` outlives the table. A newline at the end begins no further line.
  explicit LineTable(std::string_view text) : text_(text) {
    size_t at = 0;
    while (at < text.size()) {
      starts_.push_back(at);
      const size_t end = text.find('\n', at);
      at = end == std::string_view::npos ? text.size() : end + 1;
    }
    starts_.push_back(text.size());
  }

  uint32_t count() const { return static_cast<uint32_t>(starts_.size() - 1); }

  std::string_view line(uint32_t number) const { return text(number, number); }

  // Without the newline at its end.
  std::string_view text(uint32_t first, uint32_t last) const {
    std::string_view lines = text_.substr(starts_[first - 1], starts_[last] - starts_[first - 1]);
    if (!lines.empty() && lines.back() == '\n') lines.remove_suffix(1);
    if (!lines.empty() && lines.back() == '\r') lines.remove_suffix(1);
    return lines;
  }

  bool is_blank(uint32_t number) const {
    return line(number).find_first_not_of(" \t\r") == std::string_view::npos;
  }

 private:
  std::string_view text_;
  std::vector<size_t> starts_;  // of each line, and the end of the text
};

}  // namespace tinyarms::corpus
