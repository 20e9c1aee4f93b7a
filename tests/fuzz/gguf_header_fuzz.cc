// Any bytes as a model file: what is accepted must lie inside the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/gguf_header.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto header = tinyarms::engine::GgufHeader::parse(bytes, "fuzzed.gguf");
  if (!header) return 0;
  if (header->tensors().size() > size) std::abort();  // each takes more than a byte of the file
  if (const auto* tokens = header->array("tokenizer.ggml.tokens")) {
    for (const std::string_view token : tokens->texts()) {
      if (token.size() > size) std::abort();
    }
  }
  return 0;
}
