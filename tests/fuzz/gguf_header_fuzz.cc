// Any bytes as a model file: what is accepted must lie inside the file, and what is refused is told
// by its kind and a place in the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engine/gguf_header.h"
#include "engine/model_facts.h"
#include "engine/plausible.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tinyarms::engine;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  FileFault fault;
  const auto header = GgufHeader::parse(bytes, "fuzzed.gguf", &fault);
  if (!header) {
    if (fault.kind.empty() || fault.byte > size) std::abort();
    return 0;
  }
  if (header->tensors().size() > size) std::abort();  // each takes more than a byte of the file
  uint64_t end = 0;
  for (const GgufTensor& tensor : header->tensors()) {
    if (tensor.offset < end || tensor.offset > size || tensor.bytes > size - tensor.offset) {
      std::abort();
    }
    end = tensor.offset + tensor.bytes;
  }
  if (const auto* tokens = header->array("tokenizer.ggml.tokens")) {
    for (const std::string_view token : tokens->texts()) {
      if (token.size() > size) std::abort();
    }
  }
  const auto facts = facts_of(*header, "fuzzed.gguf", size);
  if (!facts) return 0;
  if (const auto plausible = check_plausible(*facts, *header, &fault);
      !plausible && fault.kind.empty()) {
    std::abort();
  }
  return 0;
}
