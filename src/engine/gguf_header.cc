#include "engine/gguf_header.h"

#include <fmt/format.h>
#include <ggml.h>
#include <gguf.h>

#include <bit>
#include <cstring>
#include <limits>
#include <set>

namespace tinyarms::engine {
namespace {

// Far above any real model (a vocabulary is one pair), far below what would exhaust memory.
constexpr uint64_t kPairsMax = 1 << 16;
constexpr uint64_t kTensorsMax = 1 << 20;
constexpr uint64_t kTextMax = 16 << 20;  // a chat template is the longest text in a header
constexpr uint64_t kKeptIntegersMax = 4096;
constexpr uint64_t kAlignmentMax = 1 << 20;
constexpr uint64_t kTensorPrefixMin = 8 + 4 + 4 + 8;  // name length, dimensions, type, offset

static_assert(std::endian::native == std::endian::little, "GGUF is read as it lies in the file");

size_t scalar_bytes(int type) {
  switch (type) {
    case GGUF_TYPE_UINT8:
    case GGUF_TYPE_INT8:
    case GGUF_TYPE_BOOL: return 1;
    case GGUF_TYPE_UINT16:
    case GGUF_TYPE_INT16: return 2;
    case GGUF_TYPE_UINT32:
    case GGUF_TYPE_INT32:
    case GGUF_TYPE_FLOAT32: return 4;
    case GGUF_TYPE_UINT64:
    case GGUF_TYPE_INT64:
    case GGUF_TYPE_FLOAT64: return 8;
    default: return 0;  // text and arrays have no fixed size, the rest is unknown
  }
}

bool multiply(uint64_t a, uint64_t b, uint64_t& product) {
  return !__builtin_mul_overflow(a, b, &product);
}

}  // namespace

// Walks the bytes once, front to back; `failure_` is set at the first thing that is wrong, and
// every read after it yields nothing.
class GgufParser {
 public:
  GgufParser(std::string_view bytes, const std::filesystem::path& place)
      : bytes_(bytes), place_(place) {}

  Result<GgufHeader> parse() {
    uint64_t tensors = 0;
    uint64_t pairs = 0;
    if (!read_counts(tensors, pairs)) return *failure_;
    for (uint64_t i = 0; i < pairs; ++i) {
      if (!read_pair()) return *failure_;
    }
    if (!read_alignment()) return *failure_;
    header_.tensors_.reserve(tensors);
    for (uint64_t i = 0; i < tensors; ++i) {
      if (!read_tensor()) return *failure_;
    }
    if (!place_tensors()) return *failure_;
    return std::move(header_);
  }

 private:
  bool fail(ErrorCode code, std::string what) {
    if (!failure_) {
      failure_ = Error{code, std::move(what), place_.string(),
                       code == ErrorCode::Unsupported ? "use a model file of a known format"
                                                      : "fetch or import the model again"};
    }
    return false;
  }
  bool corrupt(std::string what) { return fail(ErrorCode::Corrupt, std::move(what)); }
  uint64_t remaining() const { return bytes_.size() - at_; }

  template <typename T>
  bool read(T& value) {
    if (failure_) return false;
    if (remaining() < sizeof(T)) return corrupt("the file ends inside its header");
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }

  bool read(std::string& text) {
    uint64_t length = 0;
    if (!read(length)) return false;
    if (length > remaining()) return corrupt("a text in the header runs past the file's end");
    if (length > kTextMax) return corrupt(fmt::format("a text of {} bytes in the header", length));
    text.assign(bytes_.substr(at_, length));
    at_ += length;
    return true;
  }

  bool skip_text() {
    uint64_t length = 0;
    if (!read(length)) return false;
    if (length > remaining()) return corrupt("a text in the header runs past the file's end");
    at_ += length;
    return true;
  }

  bool read_counts(uint64_t& tensors, uint64_t& pairs) {
    if (bytes_.empty()) return corrupt("the file is empty");
    if (bytes_.substr(0, 4) != "GGUF") return corrupt("not a GGUF file: it does not begin so");
    at_ = 4;
    uint32_t version = 0;
    if (!read(version) || !read(tensors) || !read(pairs)) return false;
    if (version != 2 && version != 3) {
      return fail(ErrorCode::Unsupported,
                  fmt::format("GGUF version {}; this build reads 2 and 3", version));
    }
    // Each count is held against the bytes that so many entries take at the very least.
    if (pairs > kPairsMax || pairs > remaining() / 13) {
      return corrupt(fmt::format("claims {} key-value pairs", pairs));
    }
    if (tensors > kTensorsMax || tensors > remaining() / kTensorPrefixMin) {
      return corrupt(fmt::format("claims {} tensors", tensors));
    }
    return true;
  }

  bool read_pair() {
    std::string key;
    int32_t type = 0;
    if (!read(key) || !read(type)) return false;
    if (key.empty()) return corrupt("an empty key in the header");
    if (key.size() > 65535 || key.find('\0') != std::string::npos) {
      return corrupt("a malformed key in the header");
    }
    GgufHeader::Value value;
    const bool known = type == GGUF_TYPE_ARRAY ? read_array(key, value) : read_scalar(type, value);
    if (!known) return corrupt(fmt::format("the value of '{}' is malformed", key));
    if (!header_.values_.emplace(key, std::move(value)).second) {
      return corrupt(fmt::format("the key '{}' appears twice", key));
    }
    return true;
  }

  template <typename Stored, typename Kept>
  bool read_as(GgufHeader::Value& value) {
    Stored stored{};
    if (!read(stored)) return false;
    value = static_cast<Kept>(stored);
    return true;
  }

  bool read_scalar(int32_t type, GgufHeader::Value& value) {
    switch (type) {
      case GGUF_TYPE_UINT8: return read_as<uint8_t, uint64_t>(value);
      case GGUF_TYPE_UINT16: return read_as<uint16_t, uint64_t>(value);
      case GGUF_TYPE_UINT32: return read_as<uint32_t, uint64_t>(value);
      case GGUF_TYPE_UINT64: return read_as<uint64_t, uint64_t>(value);
      case GGUF_TYPE_INT8: return read_as<int8_t, int64_t>(value);
      case GGUF_TYPE_INT16: return read_as<int16_t, int64_t>(value);
      case GGUF_TYPE_INT32: return read_as<int32_t, int64_t>(value);
      case GGUF_TYPE_INT64: return read_as<int64_t, int64_t>(value);
      case GGUF_TYPE_FLOAT32: return read_as<float, double>(value);
      case GGUF_TYPE_FLOAT64: return read_as<double, double>(value);
      case GGUF_TYPE_BOOL: return read_as<uint8_t, bool>(value);
      case GGUF_TYPE_STRING: {
        std::string text;
        if (!read(text)) return false;
        value = std::move(text);
        return true;
      }
      default: return false;
    }
  }

  bool read_array(const std::string& key, GgufHeader::Value& value) {
    int32_t type = 0;
    GgufArray array;
    if (!read(type) || !read(array.count)) return false;
    array.element_type = type;
    const uint64_t begin = at_;
    if (type == GGUF_TYPE_STRING) {
      if (array.count > remaining() / sizeof(uint64_t)) {
        return corrupt(fmt::format("'{}' claims {} texts", key, array.count));
      }
      for (uint64_t i = 0; i < array.count; ++i) {
        if (!skip_text()) return false;
      }
      array.raw = bytes_.substr(begin, at_ - begin);
      value = std::move(array);
      return true;
    }
    const size_t width = scalar_bytes(type);
    if (width == 0) return false;
    if (array.count > remaining() / width) {
      return corrupt(fmt::format("'{}' claims {} elements", key, array.count));
    }
    if (array.count <= kKeptIntegersMax && !keep_integers(type, array)) return false;
    if (array.integers.empty()) at_ += array.count * width;
    array.raw = bytes_.substr(begin, at_ - begin);
    value = std::move(array);
    return true;
  }

  bool keep_integers(int32_t type, GgufArray& array) {
    if (type == GGUF_TYPE_FLOAT32 || type == GGUF_TYPE_FLOAT64) return true;
    for (uint64_t i = 0; i < array.count; ++i) {
      GgufHeader::Value element;
      if (!read_scalar(type, element)) return false;
      const auto* plain = std::get_if<uint64_t>(&element);
      const auto* sign = std::get_if<int64_t>(&element);
      const uint64_t integer = plain != nullptr               ? *plain
                               : sign != nullptr && *sign > 0 ? static_cast<uint64_t>(*sign)
                                                              : 0;
      array.integers.push_back(integer);
    }
    return true;
  }

  bool read_alignment() {
    if (header_.find(GGUF_KEY_GENERAL_ALIGNMENT) == nullptr) return true;
    const auto alignment = header_.integer(GGUF_KEY_GENERAL_ALIGNMENT);
    if (!alignment || !std::has_single_bit(*alignment) || *alignment > kAlignmentMax) {
      return corrupt("general.alignment is not a sensible power of two");
    }
    alignment_ = *alignment;
    return true;
  }

  bool read_tensor() {
    GgufTensor tensor;
    uint32_t dimensions = 0;
    if (!read(tensor.name) || !read(dimensions)) return false;
    if (tensor.name.empty() || tensor.name.size() >= GGML_MAX_NAME ||
        tensor.name.find('\0') != std::string::npos) {
      return corrupt("a malformed tensor name");
    }
    if (!names_.insert(tensor.name).second) {
      return corrupt(fmt::format("the tensor '{}' appears twice", tensor.name));
    }
    if (dimensions == 0 || dimensions > tensor.shape.size()) {
      return corrupt(fmt::format("'{}' claims {} dimensions", tensor.name, dimensions));
    }
    tensor.dimensions = static_cast<int>(dimensions);
    for (uint32_t i = 0; i < dimensions; ++i) {
      if (!read(tensor.shape[i])) return false;
    }
    int32_t type = 0;
    if (!read(type) || !read(tensor.offset)) return false;
    if (type < 0 || type >= GGML_TYPE_COUNT || ggml_blck_size(ggml_type(type)) == 0) {
      return fail(ErrorCode::Unsupported, fmt::format("'{}' is of the tensor type {}, which this "
                                                      "build does not know", tensor.name, type));
    }
    tensor.type = type;
    if (!measure(tensor)) return false;
    header_.tensors_.push_back(std::move(tensor));
    return true;
  }

  bool measure(GgufTensor& tensor) {
    const auto type = static_cast<ggml_type>(tensor.type);
    const auto block = static_cast<uint64_t>(ggml_blck_size(type));
    uint64_t elements = 1;
    for (const uint64_t extent : tensor.shape) {
      if (extent == 0 || !multiply(elements, extent, elements) ||
          elements > uint64_t(std::numeric_limits<int64_t>::max())) {
        return corrupt(fmt::format("'{}' has an impossible shape", tensor.name));
      }
    }
    if (tensor.shape[0] % block != 0) {
      return corrupt(fmt::format("the rows of '{}' do not divide into blocks of {}", tensor.name,
                                 block));
    }
    if (!multiply(elements / block, ggml_type_size(type), tensor.bytes)) {
      return corrupt(fmt::format("'{}' has an impossible size", tensor.name));
    }
    return true;
  }

  // Offsets in the file count from the aligned end of the header; the tensors follow each other
  // without gaps but for the alignment, as ggml writes and demands.
  bool place_tensors() {
    if (header_.tensors_.empty()) return true;
    const uint64_t data = (at_ + alignment_ - 1) / alignment_ * alignment_;
    uint64_t expected = 0;
    for (GgufTensor& tensor : header_.tensors_) {
      if (tensor.offset != expected) {
        return corrupt(fmt::format("'{}' is not where the tensors before it end", tensor.name));
      }
      if (data > bytes_.size() || expected > bytes_.size() - data ||
          tensor.bytes > bytes_.size() - data - expected) {
        return corrupt("the file ends before its tensor data does");
      }
      tensor.offset = data + expected;
      expected = (expected + tensor.bytes + alignment_ - 1) / alignment_ * alignment_;
    }
    return true;
  }

  std::string_view bytes_;
  const std::filesystem::path& place_;
  uint64_t at_ = 0;
  uint64_t alignment_ = GGUF_DEFAULT_ALIGNMENT;
  GgufHeader header_;
  std::set<std::string> names_;
  std::optional<Error> failure_;
};

Result<GgufHeader> GgufHeader::parse(std::string_view bytes, const std::filesystem::path& place) {
  return GgufParser(bytes, place).parse();
}

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
