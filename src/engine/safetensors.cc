#include "engine/safetensors.h"

#include <fmt/format.h>
#include <ggml.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

namespace tinyarms::engine {
namespace {

using nlohmann::json;

// The format allows 100 MB; a table of the most tensors taken here is far shorter.
constexpr uint64_t kTableMax = 32 << 20;
constexpr size_t kTableTensorsMax = 1 << 17;
constexpr size_t kTableDimensionsMax = 8;
constexpr int kTableDepthMax = 3;  // table, entry, shape

// 0 for a type this code does not know.
uint64_t type_bits(std::string_view type) {
  if (type == "F64" || type == "I64" || type == "U64" || type == "C64") return 64;
  if (type == "F32" || type == "I32" || type == "U32") return 32;
  if (type == "F16" || type == "BF16" || type == "I16" || type == "U16") return 16;
  if (type == "I8" || type == "U8" || type == "BOOL" || type.starts_with("F8_")) return 8;
  if (type == "F6_E2M3" || type == "F6_E3M2") return 6;
  return type == "F4" ? 4 : 0;
}

// Reads the table and holds it against the bytes after it; stops at the first thing that is wrong.
class TableReader {
 public:
  TableReader(std::string_view bytes, const std::filesystem::path& place)
      : bytes_(bytes), place_(place) {}

  using Tensors = std::map<std::string, Safetensors::Tensor, std::less<>>;

  Result<Tensors> read(FileFault* fault) {
    Tensors tensors;
    if (read_table(tensors)) return tensors;
    if (fault != nullptr) *fault = fault_;
    return *failure_;
  }

 private:
  bool fail(ErrorCode code, const char* kind, std::string what, uint64_t byte) {
    if (failure_) return false;
    const bool unknown = code == ErrorCode::Unsupported;
    failure_ = Error{code, std::move(what), fmt::format("{}, byte {}", place_.string(), byte),
                     unknown ? "use a file with a known type" : "fetch the file again"};
    fault_ = {.kind = kind, .byte = byte, .name = name_};
    return false;
  }
  bool corrupt(const char* kind, std::string what) {
    return fail(ErrorCode::Corrupt, kind, std::move(what), sizeof(uint64_t));
  }
  bool tensor_corrupt(const char* kind, std::string_view what) {
    return corrupt(kind, fmt::format("the tensor '{}' {}", name_, what));
  }

  bool read_table(Tensors& tensors) {
    uint64_t length = 0;
    if (bytes_.empty()) return fail(ErrorCode::Corrupt, "empty_file", "the file is empty", 0);
    if (bytes_.size() < sizeof(length)) {
      return fail(ErrorCode::Corrupt, "truncated_header", "is too short to be a safetensors file",
                  bytes_.size());
    }
    std::memcpy(&length, bytes_.data(), sizeof(length));
    if (length > bytes_.size() - sizeof(length) || length > kTableMax || length < 2) {
      return fail(ErrorCode::Corrupt, "header_length",
                  fmt::format("is not a safetensors file, or is truncated: its table would take {} "
                              "bytes", length), 0);
    }
    data_begin_ = sizeof(length) + length;
    data_ = bytes_.substr(data_begin_);
    const json entries = parse(bytes_.substr(sizeof(length), length));
    if (failure_) return false;
    if (!entries.is_object()) return corrupt("header_json", "its table is not JSON");
    for (const auto& [name, entry] : entries.items()) {
      name_ = name.substr(0, 200);
      if (name == "__metadata__") {
        if (!check_metadata(entry)) return false;
        continue;
      }
      Safetensors::Tensor tensor;
      if (!read_entry(entry, tensor)) return false;
      tensors.emplace(name, std::move(tensor));
    }
    return check_extents(tensors);
  }

  // JSON whose depth is bounded and whose names come once; the parser itself takes both.
  json parse(std::string_view table) {
    std::set<std::string> names;
    std::set<std::string> fields;
    const auto watch = [&](int depth, json::parse_event_t event, json& value) {
      if (depth > kTableDepthMax) return corrupt("header_depth", "its table is nested too deep");
      if (event == json::parse_event_t::object_start && depth == 1) fields.clear();
      if (event != json::parse_event_t::key) return !failure_;
      const auto& name = value.get_ref<const std::string&>();
      if (!(depth == 1 ? names : fields).insert(name).second) {
        name_ = name.substr(0, 200);
        return corrupt("duplicate_name", fmt::format("'{}' appears twice in its table", name_));
      }
      if (names.size() > kTableTensorsMax) return corrupt("tensor_count", "its table is too long");
      return !failure_;
    };
    return json::parse(table, watch, /*allow_exceptions=*/false);
  }

  bool check_metadata(const json& entry) {
    bool texts = entry.is_object();
    for (const json& value : entry) texts = texts && value.is_string();
    return texts || corrupt("metadata", "its __metadata__ is no table of texts");
  }

  bool read_entry(const json& entry, Safetensors::Tensor& tensor) {
    if (!entry.is_object()) return tensor_corrupt("entry", "is not described by an object");
    const auto type = entry.find("dtype");
    const auto shape = entry.find("shape");
    const auto offsets = entry.find("data_offsets");
    if (type == entry.end() || !type->is_string()) return tensor_corrupt("dtype", "has no type");
    if (shape == entry.end() || !shape->is_array() || shape->size() > kTableDimensionsMax) {
      return tensor_corrupt("shape", "has no sensible shape");
    }
    if (offsets == entry.end() || !offsets->is_array() || offsets->size() != 2 ||
        !(*offsets)[0].is_number_unsigned() || !(*offsets)[1].is_number_unsigned()) {
      return tensor_corrupt("offsets", "has no sensible offsets");
    }
    tensor.type = type->get<std::string>();
    tensor.elements = 1;
    for (const json& extent : *shape) {
      if (!extent.is_number_unsigned()) return tensor_corrupt("shape", "has an impossible shape");
      tensor.shape.push_back(extent.get<uint64_t>());
      if (__builtin_mul_overflow(tensor.elements, tensor.shape.back(), &tensor.elements)) {
        return tensor_corrupt("shape_overflow", "has an impossible shape");
      }
    }
    return place(tensor, (*offsets)[0].get<uint64_t>(), (*offsets)[1].get<uint64_t>());
  }

  bool place(Safetensors::Tensor& tensor, uint64_t begin, uint64_t end) {
    if (begin > end) return tensor_corrupt("offsets", "ends before it begins");
    if (end > data_.size()) return tensor_corrupt("offset_past_end", "lies outside the file");
    const uint64_t width = type_bits(tensor.type);
    if (width == 0) {
      return fail(ErrorCode::Unsupported, "unknown_dtype",
                  fmt::format("the tensor '{}' is of the unknown type '{}'", name_,
                              tensor.type.substr(0, 40)), sizeof(uint64_t));
    }
    uint64_t bits = 0;
    if (__builtin_mul_overflow(tensor.elements, width, &bits)) {
      return tensor_corrupt("shape_overflow", "has an impossible shape");
    }
    if (bits % 8 != 0 || bits / 8 != end - begin) {
      return tensor_corrupt("tensor_bytes", "takes another number of bytes than its shape says");
    }
    tensor.bytes = data_.substr(begin, end - begin);
    return true;
  }

  // Every byte after the table is of one tensor, as the format demands.
  bool check_extents(const Tensors& tensors) {
    std::vector<std::pair<std::string_view, const std::string*>> extents;
    for (const auto& [name, tensor] : tensors) {
      if (!tensor.bytes.empty()) extents.emplace_back(tensor.bytes, &name);
    }
    std::sort(extents.begin(), extents.end(), [](const auto& a, const auto& b) {
      return a.first.data() < b.first.data();
    });
    const char* expected = data_.data();
    for (const auto& [bytes, name] : extents) {
      name_ = name->substr(0, 200);
      const uint64_t at = data_begin_ + static_cast<uint64_t>(bytes.data() - data_.data());
      if (bytes.data() < expected) {
        return fail(ErrorCode::Corrupt, "tensor_overlap",
                    fmt::format("the tensor '{}' overlaps another", name_), at);
      }
      if (bytes.data() > expected) {
        return fail(ErrorCode::Corrupt, "tensor_gap",
                    fmt::format("bytes of no tensor lie before '{}'", name_), at);
      }
      expected = bytes.data() + bytes.size();
    }
    name_.clear();
    if (expected == data_.data() + data_.size()) return true;
    return fail(ErrorCode::Corrupt, "trailing_bytes", "bytes of no tensor lie at its end",
                data_begin_ + static_cast<uint64_t>(expected - data_.data()));
  }

  std::string_view bytes_;
  const std::filesystem::path& place_;
  uint64_t data_begin_ = 0;
  std::string_view data_;
  std::string name_;
  std::optional<Error> failure_;
  FileFault fault_;
};

}  // namespace

Result<Safetensors> Safetensors::open(const std::filesystem::path& path, FileFault* fault) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  auto tensors = TableReader(file->bytes(), path).read(fault);
  if (!tensors) return tensors.error();
  Safetensors opened(std::move(*file));
  opened.tensors_ = std::move(*tensors);
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
