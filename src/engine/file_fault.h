// Which of the known kinds of damage a model file has, and where: beside the Error, for tests and
// for `tinyarms models check --json`.
#pragma once

#include <cstdint>
#include <string>

namespace tinyarms::engine {

struct FileFault {
  std::string kind{};  // a short stable name: "duplicate_key", "tensor_overlap", …; docs/models.md
  uint64_t byte = 0;   // where in the file it was seen; 0 where it is about the file as a whole
  std::string name{};  // of the key or tensor, empty where it is about neither
};

}  // namespace tinyarms::engine
