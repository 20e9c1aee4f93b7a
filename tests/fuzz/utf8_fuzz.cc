// The two readers of UTF-8 agree: a valid text has no unfinished character at its end.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto invalid = tinyarms::find_invalid_utf8(text);
  const size_t complete = tinyarms::complete_utf8_prefix(text);
  if (complete > size || (invalid && *invalid >= size)) std::abort();
  if (!invalid && complete != size) std::abort();
  if (size - complete > 3) std::abort();
  return 0;
}
