#include "engine/gguf_header.h"

#include <gguf.h>

#include <cstring>

namespace tinyarms::engine {

std::vector<std::string_view> GgufArray::texts() const {
  std::vector<std::string_view> found;
  if (element_type != GGUF_TYPE_STRING) return found;
  found.reserve(count);
  for (size_t at = 0; found.size() < count;) {
    uint64_t length = 0;
    std::memcpy(&length, raw.data() + at, sizeof(length));
    found.push_back(raw.substr(at + sizeof(length), length));
    at += sizeof(length) + length;
  }
  return found;
}

const GgufHeader::Value* GgufHeader::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

std::optional<uint64_t> GgufHeader::integer(std::string_view key) const {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* plain = std::get_if<uint64_t>(value)) return *plain;
  const auto* sign = std::get_if<int64_t>(value);
  if (sign != nullptr && *sign >= 0) return static_cast<uint64_t>(*sign);
  return std::nullopt;
}

std::optional<double> GgufHeader::real(std::string_view key) const {
  const Value* value = find(key);
  const auto* held = value != nullptr ? std::get_if<double>(value) : nullptr;
  return held != nullptr ? std::optional(*held) : std::nullopt;
}

std::optional<std::string> GgufHeader::text(std::string_view key) const {
  const Value* value = find(key);
  const auto* held = value != nullptr ? std::get_if<std::string>(value) : nullptr;
  return held != nullptr ? std::optional(*held) : std::nullopt;
}

std::optional<bool> GgufHeader::flag(std::string_view key) const {
  const Value* value = find(key);
  const auto* held = value != nullptr ? std::get_if<bool>(value) : nullptr;
  return held != nullptr ? std::optional(*held) : std::nullopt;
}

const GgufArray* GgufHeader::array(std::string_view key) const {
  const Value* value = find(key);
  return value != nullptr ? std::get_if<GgufArray>(value) : nullptr;
}

const GgufTensor* GgufHeader::tensor(std::string_view name) const {
  for (const GgufTensor& tensor : tensors_) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

}  // namespace tinyarms::engine
