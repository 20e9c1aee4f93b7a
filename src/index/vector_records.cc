#include "index/vector_records.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "index/scan.h"

namespace tinyarms::index {
namespace {

constexpr std::array<char, 16> kMagic = {'t', 'i', 'n', 'y', 'A', 'r', 'm', 's',
                                         ' ', 'v', 'e', 'c', 't', 'o', 'r', 's'};
constexpr float kSaysNothing = 1e-30f;
constexpr uint64_t kRecordMagic = 0x31647263'65527654;

template <typename Header>
uint64_t own_checksum(const Header& header) {
  return checksum({reinterpret_cast<const char*>(&header), offsetof(Header, checksum)});
}

int code_of(float value, float scale) {
  return static_cast<int>(std::clamp(std::floor(value / scale + kMiddleCode + 0.5f), 0.0f, 15.0f));
}

float squared_error(std::span<const float> values, float scale) {
  float sum = 0;
  for (const float value : values) {
    const float left = value - (static_cast<float>(code_of(value, scale)) - kMiddleCode) * scale;
    sum += left * left;
  }
  return sum;
}

float best_scale(std::span<const float> values) {
  float top = 0;
  for (const float value : values) top = std::max(top, std::fabs(value));
  if (top < kSaysNothing) return 1;
  float best = 0;
  float error_min = std::numeric_limits<float>::infinity();
  for (const float share : {1.0f, 0.9f, 0.8f, 0.7f, 0.6f, 0.5f}) {
    const float scale = share * top / kMiddleCode;
    const float error = squared_error(values, scale);
    if (error < error_min) {
      error_min = error;
      best = scale;
    }
  }
  return best;
}

}  // namespace

size_t codes_bytes(size_t padded_rows, size_t scan_dimensions) {
  return padded_rows * scan_dimensions / 2;
}

RowsLayout rows_layout(size_t rows, size_t dimensions, size_t scan_dimensions) {
  const size_t padded = (rows + kBlockRows - 1) / kBlockRows * kBlockRows;
  RowsLayout layout;
  layout.scales = rows * sizeof(int64_t);
  layout.codes = (layout.scales + padded * sizeof(float) + 63) / 64 * 64;
  layout.vectors = layout.codes + codes_bytes(padded, scan_dimensions);
  layout.bytes = layout.vectors + rows * dimensions * sizeof(float);
  return layout;
}

// Four lanes of multiply and rotate over 32 bytes at a time, so that a gigabyte takes a tenth of a
// second; the length goes in at the end.
uint64_t checksum(std::string_view bytes) {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;
  uint64_t lanes[4] = {kOdd, ~kOdd, kOdd * 3, kOdd * 5};
  const auto mix = [](uint64_t lane, uint64_t word) {
    lane = (lane ^ word) * 0xd6e8feb86659fd93;
    return (lane << 29) | (lane >> 35);
  };
  size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) {
    uint64_t words[4];
    std::memcpy(words, bytes.data() + at, 32);
    for (int i = 0; i < 4; ++i) lanes[i] = mix(lanes[i], words[i]);
  }
  for (; at < bytes.size(); ++at) lanes[0] = mix(lanes[0], static_cast<unsigned char>(bytes[at]));
  uint64_t sum = mix(kOdd, bytes.size());
  for (const uint64_t lane : lanes) sum = mix(sum, lane);
  return sum ^ (sum >> 31);
}

FileHeader make_file_header(size_t dimensions, size_t scan_dimensions, std::string_view model) {
  FileHeader header{};
  header.magic = kMagic;
  header.version = kFormatVersion;
  header.dimensions = static_cast<uint32_t>(dimensions);
  header.scan_dimensions = static_cast<uint32_t>(scan_dimensions);
  std::copy_n(model.begin(), std::min(model.size(), header.model.size()), header.model.begin());
  header.checksum = own_checksum(header);
  return header;
}

bool is_sound(const FileHeader& header) {
  return header.magic == kMagic && header.version == kFormatVersion &&
         header.checksum == own_checksum(header) && header.dimensions != 0 &&
         header.scan_dimensions != 0 && header.scan_dimensions % kGroupValues == 0;
}

bool is_of_another_version(const FileHeader& header) {
  return header.magic == kMagic && header.version != kFormatVersion &&
         header.checksum == own_checksum(header);
}

RecordHeader make_record_header(RecordKind kind, size_t count, std::string_view payload) {
  RecordHeader header{};
  header.magic = kRecordMagic;
  header.kind = kind;
  header.count = count;
  header.payload_bytes = payload.size();
  header.payload_checksum = checksum(payload);
  header.checksum = own_checksum(header);
  return header;
}

void mark_replacing(RecordHeader& header) {
  header.replaces = 1;
  header.checksum = own_checksum(header);
}

bool is_sound(const RecordHeader& header) {
  return header.magic == kRecordMagic && header.checksum == own_checksum(header) &&
         (header.kind == RecordKind::Rows || header.kind == RecordKind::Removals);
}

float encode_row(std::span<const float> values, size_t row_in_block, uint8_t* block) {
  const float scale = best_scale(values);
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t in_group = i % kGroupValues;
    uint8_t& byte = block[i / kGroupValues * kGroupBytes + row_in_block * 4 + in_group % 4];
    byte |= static_cast<uint8_t>(code_of(values[i], scale) << (in_group < 4 ? 0 : 4));
  }
  return scale;
}

}  // namespace tinyarms::index
