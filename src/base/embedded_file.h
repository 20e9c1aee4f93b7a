// A data file that ships inside the binary (cmake/Embed.cmake generates the function that lists
// them): its name without a folder, and its bytes.
#pragma once

#include <string_view>

namespace tinyarms {

struct EmbeddedFile {
  std::string_view name;
  std::string_view bytes;
};

}  // namespace tinyarms
