#include "remote/event_stream.h"

namespace tinyarms::remote {

Result<void> EventStream::feed(std::string_view bytes) {
  for (const char c : bytes) {
    const bool ends_return = after_return_ && c == '\n';
    after_return_ = c == '\r';
    if (ends_return) continue;
    if (c == '\n' || c == '\r') {
      take_line();
    } else {
      line_ += c;
    }
    if (line_.size() + data_.size() > kEventBytesMax) {
      return Error{ErrorCode::Corrupt, "an event of the stream does not end", "",
                   "is this address an OpenAI-compatible API?"};
    }
  }
  return {};
}

void EventStream::take_line() {
  std::string_view line = line_;
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (at_start_ && line.substr(0, kMark.size()) == kMark) line.remove_prefix(kMark.size());
  at_start_ = false;
  if (line.empty()) {
    if (has_data_) on_data_(data_);
    data_.clear();
    has_data_ = false;
  } else if (line.substr(0, 5) == "data:" || line == "data") {
    line.remove_prefix(line.size() > 4 ? 5 : 4);
    if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    if (has_data_) data_ += '\n';
    data_ += line;
    has_data_ = true;
  }
  line_.clear();
}

}  // namespace tinyarms::remote
