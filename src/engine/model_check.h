// A model file judged as a whole, without loading it: what `tinyarms models check` and every import
// and pull look at first. Nothing in the file is trusted; docs/models.md lists the kinds of damage.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "engine/file_fault.h"

namespace tinyarms::engine {

struct ModelCheck {
  std::string format{};  // "gguf", "safetensors"; empty where it is neither
  uint64_t bytes = 0;
  uint64_t tensors = 0;
  uint64_t pairs = 0;  // of a GGUF's header
  std::string architecture{};
  // The file is not what it claims to be, or cannot be read.
  std::optional<Error> problem{};
  // It is well formed, and still no model that the engine would load: a vocabulary alone, one part
  // of several, settings that no model has.
  std::optional<Error> not_loadable{};
  FileFault fault{};  // of either; `kind` "not_readable" where it could not be opened

  bool sound() const { return !problem && !not_loadable; }
};

// Never fails: what is wrong is in the result. A safetensors file is known by its name or its first
// bytes and never loadable by itself; that is no fault of it.
ModelCheck check_model_file(const std::filesystem::path& path);

}  // namespace tinyarms::engine
