// The configurations of presets/*.toml, which ship in the binary.
#pragma once

#include <vector>

#include "base/embedded_file.h"

namespace tinyarms::cli {

std::vector<EmbeddedFile> bundled_presets();  // generated from presets/*.toml

}  // namespace tinyarms::cli
