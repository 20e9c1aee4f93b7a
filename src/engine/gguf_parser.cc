#include <fmt/format.h>
#include <ggml.h>
#include <gguf.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <set>

#include "base/utf8.h"
#include "engine/gguf_header.h"

namespace tinyarms::engine {
namespace {

// Far above any real model (a vocabulary is one pair), far below what would exhaust memory.
constexpr uint64_t kPairsMax = 1 << 16;
constexpr uint64_t kTensorsMax = 1 << 20;
constexpr uint64_t kKeyMax = 65535;
constexpr uint64_t kTextMax = 16 << 20;
constexpr uint64_t kTemplateMax = 1 << 20;  // real ones take some ten kilobytes
constexpr uint64_t kElementsMax = 1 << 28;
constexpr uint64_t kKeptIntegersMax = 4096;
constexpr uint64_t kAlignmentMax = 1 << 20;
constexpr uint64_t kPairPrefixMin = 8 + 4 + 1;        // key length, type, value
constexpr uint64_t kTensorPrefixMin = 8 + 4 + 4 + 8;  // name length, dimensions, type, offset
constexpr std::string_view kTemplateKey = "tokenizer.chat_template";

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

bool is_clean_name(const std::string& name) {
  return !find_invalid_utf8(name) &&
         std::none_of(name.begin(), name.end(),
                      [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

// A name from the file in a message: short, and no control character.
std::string shown(std::string_view name) {
  std::string text;
  for (const char c : name.substr(0, 80)) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte < ' ' || byte >= 0x7f ? '?' : c;
  }
  return text;
}

}  // namespace

// Walks the bytes once, front to back; `failure_` is set at the first thing that is wrong, and
// every read after it yields nothing. `name_` is the key or tensor that is being read.
class GgufParser {
 public:
  GgufParser(std::string_view bytes, const std::filesystem::path& place)
      : bytes_(bytes), place_(place) {}

  Result<GgufHeader> parse(FileFault* fault) {
    if (read_all()) return std::move(header_);
    if (fault != nullptr) *fault = fault_;
    return *failure_;
  }

 private:
  bool read_all() {
    uint64_t tensors = 0;
    uint64_t pairs = 0;
    if (!read_counts(tensors, pairs)) return false;
    for (uint64_t i = 0; i < pairs; ++i) {
      if (!read_pair()) return false;
    }
    if (!read_alignment()) return false;
    header_.tensors_.reserve(tensors);
    for (uint64_t i = 0; i < tensors; ++i) {
      if (!read_tensor()) return false;
    }
    return place_tensors();
  }

  bool fail(ErrorCode code, const char* kind, std::string what, uint64_t byte) {
    if (failure_) return false;
    failure_ = Error{code, std::move(what), fmt::format("{}, byte {}", place_.string(), byte),
                     code == ErrorCode::Unsupported ? "use a model file of a known format"
                                                    : "fetch or import the model again"};
    fault_ = {.kind = kind, .byte = byte, .name = shown(name_)};
    return false;
  }
  bool corrupt(const char* kind, std::string what) {
    return fail(ErrorCode::Corrupt, kind, std::move(what), item_);
  }
  uint64_t remaining() const { return bytes_.size() - at_; }

  template <typename T>
  bool read(T& value) {
    if (failure_) return false;
    if (remaining() < sizeof(T)) {
      return fail(ErrorCode::Corrupt, "truncated_header", "the file ends inside its header",
                  bytes_.size());
    }
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return true;
  }

  // The text at hand as a view of the file.
  bool read(std::string_view& text, uint64_t bytes_max) {
    const uint64_t begin = at_;
    uint64_t length = 0;
    if (!read(length)) return false;
    if (length > remaining()) {
      return fail(ErrorCode::Corrupt, "text_past_end",
                  fmt::format("a text of {} bytes in the header runs past the file's end", length),
                  begin);
    }
    if (length > bytes_max) {
      return fail(ErrorCode::Corrupt, "text_length",
                  fmt::format("a text of {} bytes in the header", length), begin);
    }
    text = bytes_.substr(at_, length);
    at_ += length;
    return true;
  }

  bool read(std::string& text) {
    std::string_view view;
    if (!read(view, kTextMax)) return false;
    text = view;
    return true;
  }

  bool read_counts(uint64_t& tensors, uint64_t& pairs) {
    if (bytes_.empty()) return corrupt("empty_file", "the file is empty");
    if (bytes_.substr(0, 4) != "GGUF") {
      return corrupt("magic", "not a GGUF file: it does not begin so");
    }
    at_ = item_ = 4;
    uint32_t version = 0;
    if (!read(version)) return false;
    if ((version & 0xffff) == 0 && version != 0) {
      return fail(ErrorCode::Unsupported, "byte_order",
                  "its numbers are big-endian; this machine reads little-endian ones", item_);
    }
    if (version != 2 && version != 3) {
      return fail(ErrorCode::Unsupported, "version",
                  fmt::format("GGUF version {}; this build reads 2 and 3", version), item_);
    }
    if (!read(tensors) || !read(pairs)) return false;
    // Each count is held against the bytes that so many entries take at the very least.
    if (tensors > kTensorsMax || tensors > remaining() / kTensorPrefixMin) {
      return fail(ErrorCode::Corrupt, "tensor_count", fmt::format("claims {} tensors", tensors),
                  8);
    }
    if (pairs > kPairsMax || pairs > remaining() / kPairPrefixMin) {
      return fail(ErrorCode::Corrupt, "pair_count",
                  fmt::format("claims {} key-value pairs", pairs), 16);
    }
    return true;
  }

  bool read_pair() {
    item_ = at_;
    name_.clear();
    std::string key;
    int32_t type = 0;
    if (!read(key)) return false;
    if (key.empty()) return corrupt("key_empty", "an empty key in the header");
    if (key.size() > kKeyMax) {
      return corrupt("key_length", fmt::format("a key of {} bytes", key.size()));
    }
    name_ = key;
    if (!is_clean_name(key)) {
      return corrupt("key_characters", fmt::format("the key '{}' is no clean text", shown(key)));
    }
    if (header_.values_.contains(key)) {
      return corrupt("duplicate_key", fmt::format("the key '{}' appears twice", shown(key)));
    }
    if (!read(type)) return false;
    GgufHeader::Value value;
    if (!(type == GGUF_TYPE_ARRAY ? read_array(value) : read_scalar(type, value))) return false;
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr && key.starts_with(kTemplateKey) && text->size() > kTemplateMax) {
      return corrupt("template_length",
                     fmt::format("a chat template of {} bytes; at most {} are taken",
                                 text->size(), kTemplateMax));
    }
    header_.raw_pairs_.push_back({key, bytes_.substr(item_, at_ - item_)});
    header_.values_.emplace(std::move(key), std::move(value));
    return true;
  }

  template <typename Stored, typename Kept>
  bool read_as(GgufHeader::Value& value) {
    Stored stored{};
    if (!read(stored)) return false;
    value = static_cast<Kept>(stored);
    return true;
  }

  bool read_flag(GgufHeader::Value& value) {
    uint8_t stored = 0;
    if (!read(stored)) return false;
    if (stored > 1) {
      return corrupt("flag_value", fmt::format("'{}' is neither true nor false but {}",
                                               shown(name_), stored));
    }
    value = stored == 1;
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
      case GGUF_TYPE_BOOL: return read_flag(value);
      case GGUF_TYPE_STRING: {
        std::string text;
        if (!read(text)) return false;
        value = std::move(text);
        return true;
      }
      default:
        return corrupt("value_type", fmt::format("the value of '{}' is of the unknown type {}",
                                                 shown(name_), type));
    }
  }

  bool read_array(GgufHeader::Value& value) {
    GgufArray array;
    if (!read(array.element_type) || !read(array.count)) return false;
    if (array.element_type == GGUF_TYPE_ARRAY) {
      return corrupt("array_nesting", fmt::format("'{}' is a list of lists", shown(name_)));
    }
    const bool texts = array.element_type == GGUF_TYPE_STRING;
    const size_t width = texts ? sizeof(uint64_t) : scalar_bytes(array.element_type);
    if (width == 0) {
      return corrupt("array_type", fmt::format("'{}' is a list of the unknown type {}",
                                               shown(name_), array.element_type));
    }
    if (array.count > kElementsMax || array.count > remaining() / width) {
      return corrupt("array_length",
                     fmt::format("'{}' claims {} elements", shown(name_), array.count));
    }
    const uint64_t begin = at_;
    if (!(texts ? skip_texts(array.count) : read_elements(array, width))) return false;
    array.raw = bytes_.substr(begin, at_ - begin);
    value = std::move(array);
    return true;
  }

  bool skip_texts(uint64_t count) {
    std::string_view text;
    for (uint64_t i = 0; i < count; ++i) {
      if (!read(text, kTextMax)) return false;
    }
    return true;
  }

  bool read_elements(GgufArray& array, size_t width) {
    const int type = array.element_type;
    const bool real = type == GGUF_TYPE_FLOAT32 || type == GGUF_TYPE_FLOAT64;
    if (real || array.count > kKeptIntegersMax) {
      at_ += array.count * width;
      return true;
    }
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
    name_ = GGUF_KEY_GENERAL_ALIGNMENT;
    if (header_.find(name_) == nullptr) return true;
    const auto alignment = header_.integer(name_);
    if (!alignment || !std::has_single_bit(*alignment) || *alignment > kAlignmentMax) {
      return corrupt("alignment_value", "general.alignment is not a sensible power of two");
    }
    header_.alignment_ = *alignment;
    return true;
  }

  bool read_tensor() {
    item_ = at_;
    name_.clear();
    GgufTensor tensor;
    uint32_t dimensions = 0;
    if (!read(tensor.name)) return false;
    name_ = tensor.name;
    if (tensor.name.empty() || tensor.name.size() >= GGML_MAX_NAME ||
        !is_clean_name(tensor.name)) {
      return corrupt("tensor_name", "a malformed tensor name");
    }
    if (!names_.insert(tensor.name).second) {
      return corrupt("duplicate_tensor", fmt::format("the tensor '{}' appears twice", name_));
    }
    if (!read(dimensions)) return false;
    if (dimensions == 0 || dimensions > tensor.shape.size()) {
      return corrupt("tensor_dimensions",
                     fmt::format("'{}' claims {} dimensions", name_, dimensions));
    }
    tensor.dimensions = static_cast<int>(dimensions);
    for (uint32_t i = 0; i < dimensions; ++i) {
      if (!read(tensor.shape[i])) return false;
    }
    int32_t type = 0;
    if (!read(type) || !read(tensor.offset)) return false;
    if (type < 0 || type >= GGML_TYPE_COUNT || ggml_blck_size(ggml_type(type)) == 0) {
      return fail(ErrorCode::Unsupported, "tensor_type",
                  fmt::format("'{}' is of the tensor type {}, which this build does not know",
                              name_, type), item_);
    }
    tensor.type = type;
    if (!measure(tensor)) return false;
    entries_.push_back(item_);
    header_.tensors_.push_back(std::move(tensor));
    return true;
  }

  bool measure(GgufTensor& tensor) {
    const auto type = static_cast<ggml_type>(tensor.type);
    const auto block = static_cast<uint64_t>(ggml_blck_size(type));
    uint64_t elements = 1;
    for (const uint64_t extent : tensor.shape) {
      if (extent == 0) {
        return corrupt("tensor_extent", fmt::format("'{}' has an impossible shape: an extent of 0",
                                                    name_));
      }
      if (!multiply(elements, extent, elements) ||
          elements > uint64_t(std::numeric_limits<int64_t>::max())) {
        return corrupt("tensor_shape", fmt::format("'{}' has an impossible shape", name_));
      }
    }
    if (tensor.shape[0] % block != 0) {
      return corrupt("tensor_blocks", fmt::format("the rows of '{}' do not divide into blocks of "
                                                  "{}", name_, block));
    }
    if (!multiply(elements / block, ggml_type_size(type), tensor.bytes) ||
        tensor.bytes > uint64_t(std::numeric_limits<int64_t>::max())) {
      return corrupt("tensor_bytes", fmt::format("'{}' has an impossible size", name_));
    }
    return true;
  }

  // Offsets in the file count from the aligned end of the header; the tensors follow each other
  // without gaps but for the alignment, as ggml writes and demands.
  bool place_tensors() {
    if (header_.tensors_.empty()) return true;
    const uint64_t alignment = header_.alignment_;
    const uint64_t data = (at_ + alignment - 1) / alignment * alignment;
    const uint64_t held = data > bytes_.size() ? 0 : bytes_.size() - data;
    uint64_t expected = 0;
    for (size_t i = 0; i < header_.tensors_.size(); ++i) {
      GgufTensor& tensor = header_.tensors_[i];
      name_ = tensor.name;
      item_ = entries_[i];
      if (!check_offset(tensor, expected, held)) return false;
      tensor.offset = data + expected;
      expected = (expected + tensor.bytes + alignment - 1) / alignment * alignment;
    }
    return true;
  }

  bool check_offset(const GgufTensor& tensor, uint64_t expected, uint64_t held) {
    if (tensor.offset % header_.alignment_ != 0) {
      return corrupt("tensor_alignment", fmt::format("'{}' is at {}, which is no multiple of {}",
                                                     name_, tensor.offset, header_.alignment_));
    }
    if (tensor.offset > held) {
      return corrupt("tensor_offset", fmt::format("'{}' lies beyond the file's end", name_));
    }
    if (tensor.offset < expected) {
      return corrupt("tensor_overlap",
                     fmt::format("'{}' is not where the tensors before it end: it overlaps them",
                                 name_));
    }
    if (tensor.offset > expected) {
      return corrupt("tensor_gap",
                     fmt::format("'{}' is not where the tensors before it end: {} bytes lie "
                                 "between", name_, tensor.offset - expected));
    }
    if (tensor.bytes > held - expected) {
      return corrupt("truncated_data",
                     fmt::format("the file ends before its tensor data does, in '{}'", name_));
    }
    return true;
  }

  std::string_view bytes_;
  const std::filesystem::path& place_;
  uint64_t at_ = 0;
  uint64_t item_ = 0;  // where the pair or tensor that is being read begins
  std::string name_;
  GgufHeader header_;
  std::vector<uint64_t> entries_;  // where the description of each tensor begins
  std::set<std::string> names_;
  std::optional<Error> failure_;
  FileFault fault_;
};

Result<GgufHeader> GgufHeader::parse(std::string_view bytes, const std::filesystem::path& place,
                                     FileFault* fault) {
  return GgufParser(bytes, place).parse(fault);
}

}  // namespace tinyarms::engine
