// Any text as the value of a setting, as it comes from a flag or the environment.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "service/config_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)tinyarms::service::parse_toml_value({reinterpret_cast<const char*>(data), size});
  return 0;
}
