#include "engine/text_stream.h"

#include <algorithm>

#include "base/utf8.h"

namespace tinyarms::engine {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the longest end of `text` that begins `stop` without completing it.
size_t overlap(std::string_view text, std::string_view stop) {
  for (size_t length = std::min(text.size(), stop.size() - 1); length > 0; --length) {
    if (text.substr(text.size() - length) == stop.substr(0, length)) return length;
  }
  return 0;
}

}  // namespace

TextStream::TextStream(std::vector<std::string> stops, Listener on_text)
    : stops_(std::move(stops)), on_text_(std::move(on_text)) {
  std::erase_if(stops_, [](const std::string& stop) {
    return stop.empty() || find_invalid_utf8(stop).has_value();
  });
}

bool TextStream::push(std::string_view bytes) {
  bytes_ += bytes;
  const size_t complete = complete_utf8_prefix(bytes_);
  absorb(std::string_view(bytes_).substr(0, complete));
  bytes_.erase(0, complete);

  size_t found = std::string::npos;
  for (const std::string& stop : stops_) {
    const size_t at = held_.find(stop);
    if (at >= found) continue;
    found = at;
    stopped_by_ = stop;
  }
  if (found != std::string::npos) {
    release(found);
    held_.clear();
    bytes_.clear();
    return true;
  }
  size_t keep = 0;
  for (const std::string& stop : stops_) keep = std::max(keep, overlap(held_, stop));
  release(held_.size() - keep);
  return false;
}

void TextStream::finish() {
  if (!bytes_.empty()) held_ += kReplacement;  // the end of the last character never came
  bytes_.clear();
  release(held_.size());
}

void TextStream::absorb(std::string_view complete) {
  while (const auto invalid = find_invalid_utf8(complete)) {
    held_ += complete.substr(0, *invalid);
    held_ += kReplacement;
    complete.remove_prefix(*invalid + 1);
  }
  held_ += complete;
}

void TextStream::release(size_t bytes) {
  if (bytes == 0) return;
  text_ += std::string_view(held_).substr(0, bytes);
  if (on_text_) on_text_(std::string_view(held_).substr(0, bytes));
  held_.erase(0, bytes);
}

}  // namespace tinyarms::engine
