// Test support: the smallest model there is, one F32 tensor of eight numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tinyarms::catalog::testing {

template <typename T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

inline void append_text(std::string& bytes, std::string_view text) {
  append<uint64_t>(bytes, text.size());
  bytes += text;
}

inline std::string tiny_gguf(std::string_view architecture, float weight) {
  std::string bytes = "GGUF";
  append<uint32_t>(bytes, 3);  // version
  append<uint64_t>(bytes, 1);  // tensors
  append<uint64_t>(bytes, 2);  // key-value pairs
  append_text(bytes, "general.architecture");
  append<uint32_t>(bytes, 8);  // a string
  append_text(bytes, architecture);
  append_text(bytes, "general.license");
  append<uint32_t>(bytes, 8);
  append_text(bytes, "apache-2.0");
  append_text(bytes, "w");
  append<uint32_t>(bytes, 1);  // dimensions
  append<uint64_t>(bytes, 8);
  append<uint32_t>(bytes, 0);  // F32
  append<uint64_t>(bytes, 0);  // offset in the data
  bytes.resize((bytes.size() + 31) / 32 * 32);
  for (int i = 0; i < 8; ++i) append(bytes, weight);
  return bytes;
}

}  // namespace tinyarms::catalog::testing
