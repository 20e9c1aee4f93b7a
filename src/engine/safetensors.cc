#include "engine/safetensors.h"

#include <fmt/format.h>
#include <ggml.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

namespace tinyarms::engine {
namespace {

using nlohmann::json;

constexpr uint64_t kTableMax = 100'000'000;  // the format's own limit
constexpr size_t kTensorsMax = 1 << 17;
constexpr size_t kDimensionsMax = 8;

// 0 for a type this code does not know: its bytes are then not checked against its shape.
uint64_t type_bytes(std::string_view type) {
  if (type == "F64" || type == "I64" || type == "U64") return 8;
  if (type == "F32" || type == "I32" || type == "U32") return 4;
  if (type == "F16" || type == "BF16" || type == "I16" || type == "U16") return 2;
  if (type == "I8" || type == "U8" || type == "BOOL") return 1;
  return 0;
}

class TableReader {
 public:
  TableReader(std::string_view data, const std::filesystem::path& place)
      : data_(data), place_(place) {}

  Result<Safetensors::Tensor> read(const std::string& name, const json& entry) const {
    if (!entry.is_object()) return corrupt(name, "is not described by an object");
    const auto type = entry.find("dtype");
    const auto shape = entry.find("shape");
    const auto offsets = entry.find("data_offsets");
    if (type == entry.end() || !type->is_string()) return corrupt(name, "has no type");
    if (shape == entry.end() || !shape->is_array() || shape->size() > kDimensionsMax) {
      return corrupt(name, "has no sensible shape");
    }
    if (offsets == entry.end() || !offsets->is_array() || offsets->size() != 2 ||
        !(*offsets)[0].is_number_unsigned() || !(*offsets)[1].is_number_unsigned()) {
      return corrupt(name, "has no sensible offsets");
    }
    Safetensors::Tensor tensor;
    tensor.type = type->get<std::string>();
    tensor.elements = 1;
    for (const json& extent : *shape) {
      if (!extent.is_number_unsigned()) return corrupt(name, "has an impossible shape");
      tensor.shape.push_back(extent.get<uint64_t>());
      if (__builtin_mul_overflow(tensor.elements, tensor.shape.back(), &tensor.elements)) {
        return corrupt(name, "has an impossible shape");
      }
    }
    const auto begin = (*offsets)[0].get<uint64_t>();
    const auto end = (*offsets)[1].get<uint64_t>();
    if (begin > end || end > data_.size()) return corrupt(name, "lies outside the file");
    uint64_t bytes = 0;
    const uint64_t width = type_bytes(tensor.type);
    if (__builtin_mul_overflow(tensor.elements, width, &bytes) ||
        (width != 0 && bytes != end - begin)) {
      return corrupt(name, "takes another number of bytes than its shape says");
    }
    tensor.bytes = data_.substr(begin, end - begin);
    return tensor;
  }

  Error corrupt(std::string_view name, std::string_view what) const {
    return Error{ErrorCode::Corrupt, fmt::format("the tensor '{}' {}", name, what),
                 place_.string(), "fetch the file again"};
  }

 private:
  std::string_view data_;
  const std::filesystem::path& place_;
};

}  // namespace

Result<Safetensors> Safetensors::open(const std::filesystem::path& path) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  const auto corrupt = [&](std::string what) {
    return Error{ErrorCode::Corrupt, std::move(what), path.string(), "fetch the file again"};
  };
  const std::string_view bytes = file->bytes();
  uint64_t length = 0;
  if (bytes.size() < sizeof(length)) return corrupt("is too short to be a safetensors file");
  std::memcpy(&length, bytes.data(), sizeof(length));
  if (length > bytes.size() - sizeof(length) || length > kTableMax) {
    return corrupt("is not a safetensors file, or is truncated");
  }
  const std::string_view table = bytes.substr(sizeof(length), length);
  const std::string_view data = bytes.substr(sizeof(length) + length);
  const json entries = json::parse(table, nullptr, /*allow_exceptions=*/false);
  if (!entries.is_object()) return corrupt("its table is not JSON");
  if (entries.size() > kTensorsMax) return corrupt("its table is too long");

  const TableReader reader(data, path);
  Safetensors opened(std::move(*file));
  std::vector<std::pair<std::string_view, const std::string*>> extents;
  for (const auto& [name, entry] : entries.items()) {
    if (name == "__metadata__") continue;
    auto tensor = reader.read(name, entry);
    if (!tensor) return tensor.error();
    const auto placed = opened.tensors_.emplace(name, std::move(*tensor)).first;
    if (!placed->second.bytes.empty()) extents.emplace_back(placed->second.bytes, &placed->first);
  }
  std::sort(extents.begin(), extents.end(), [](const auto& a, const auto& b) {
    return a.first.data() < b.first.data();
  });
  for (size_t i = 1; i < extents.size(); ++i) {
    const std::string_view before = extents[i - 1].first;
    if (before.data() + before.size() > extents[i].first.data()) {
      return reader.corrupt(*extents[i].second, "overlaps another");
    }
  }
  return opened;
}

const Safetensors::Tensor* Safetensors::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

Result<std::vector<float>> to_floats(const Safetensors::Tensor& tensor, std::string_view name) {
  std::vector<float> values(tensor.elements);
  if (tensor.type == "F32") {
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  } else if (tensor.type == "F16") {
    std::vector<ggml_fp16_t> halves(tensor.elements);
    std::memcpy(halves.data(), tensor.bytes.data(), tensor.bytes.size());
    ggml_fp16_to_fp32_row(halves.data(), values.data(), static_cast<int64_t>(tensor.elements));
  } else if (tensor.type == "BF16") {
    std::vector<ggml_bf16_t> brains(tensor.elements);
    std::memcpy(brains.data(), tensor.bytes.data(), tensor.bytes.size());
    ggml_bf16_to_fp32_row(brains.data(), values.data(), static_cast<int64_t>(tensor.elements));
  } else {
    return Error{ErrorCode::Unsupported,
                 fmt::format("the tensor '{}' is of type {}", name, tensor.type), "",
                 "use a model in F32, F16 or BF16"};
  }
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) {
    return Error{ErrorCode::Corrupt, fmt::format("the tensor '{}' holds what is not a number",
                                                 name), "", "fetch the file again"};
  }
  return values;
}

}  // namespace tinyarms::engine
