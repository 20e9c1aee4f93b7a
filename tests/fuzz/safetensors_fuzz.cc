// Any bytes as a safetensors file: what is accepted must lie inside the file, each byte in one
// tensor.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tinyarms::engine;
  static const int file = ::memfd_create("fuzzed", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (file < 0 || ::ftruncate(file, 0) != 0) std::abort();
  if (::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  FileFault fault;
  const auto opened = Safetensors::open(path, &fault);
  if (!opened) {
    if (fault.kind.empty() || fault.byte > size) std::abort();
    return 0;
  }
  uint64_t taken = 0;
  for (const auto& [name, tensor] : opened->tensors()) {
    taken += tensor.bytes.size();
    if (tensor.elements <= size) (void)to_floats(tensor, name);
  }
  if (taken > size) std::abort();
  return 0;
}
