// MCP over standard input and output: a JSON-RPC message a line, nothing else on the output.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "base/stop_flag.h"
#include "mcp/dispatcher.h"

namespace tinyarms::mcp {

inline constexpr size_t kLineBytesMax = 4 << 20;

// Reads descriptor `input` until it ends or `stop` is raised (by a signal that interrupts the
// call), hands whole lines to `write`: false where nobody reads on. When the input has ended, what
// is under way is answered first, for as long as somebody reads. `wait` is how the signals that
// raise `stop` reach the reader: it blocks until the input can be read (true) or a signal came
// (false).
struct StdioOptions {
  int input = 0;
  std::function<bool(std::string_view bytes)> write{};  // any thread, one at a time
  std::function<bool(int descriptor)> wait{};
  std::function<void()> ended{};  // there is nothing to wait for any more: signals may come
};
void serve_stdio(Dispatcher& dispatcher, const StdioOptions& options, const StopFlag& stop);

}  // namespace tinyarms::mcp
