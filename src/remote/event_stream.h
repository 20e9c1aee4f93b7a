// Server-sent events (WHATWG HTML, section 9.2.6) taken apart as the bytes come in, whatever their
// boundaries. Only `data` matters to the APIs that stream tokens.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tinyarms::remote {

class EventStream {
 public:
  static constexpr size_t kEventBytesMax = 4 << 20;

  // `on_data` gets the data of each event, its lines joined by newlines.
  explicit EventStream(std::function<void(std::string_view data)> on_data)
      : on_data_(std::move(on_data)) {}

  // Errors: Corrupt (an event larger than kEventBytesMax).
  Result<void> feed(std::string_view bytes);

 private:
  void take_line();

  std::function<void(std::string_view)> on_data_;
  std::string line_;
  std::string data_;
  bool has_data_ = false;
  bool after_return_ = false;  // a line feed right after a carriage return belongs to it
  bool at_start_ = true;       // a byte order mark may come first
};

}  // namespace tinyarms::remote
