// How vectors lie in a file: a header page, then records that are only ever appended, each on a
// page of its own with checksums of itself and of what it holds. A record that a crash cut short is
// recognised and left out; everything before it stands.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tinyarms::index {

inline constexpr size_t kPage = 4096;
inline constexpr uint32_t kFormatVersion = 2;

struct FileHeader {
  std::array<char, 16> magic;
  uint32_t version;
  uint32_t dimensions;
  uint32_t scan_dimensions;
  uint32_t reserved;
  std::array<char, 128> model;  // what made the vectors, cut to fit, zeros after it
  uint64_t checksum;            // of all before it
};

enum class RecordKind : uint32_t { Rows = 1, Removals = 2 };

struct RecordHeader {
  uint64_t magic;
  RecordKind kind;
  uint32_t replaces;        // 1: some of its ids were there before
  uint64_t count;           // rows, or removed ids
  uint64_t payload_bytes;   // after this header, before the padding to a page
  uint64_t payload_checksum;
  uint64_t checksum;  // of all before it
};

// A Rows payload: ids, scales, codes (see scan.h), vectors, in this order, rows padded to blocks in
// scales and codes. A Removals payload: ids.
struct RowsLayout {
  size_t ids = 0;
  size_t scales = 0;
  size_t codes = 0;
  size_t vectors = 0;
  size_t bytes = 0;
};
size_t codes_bytes(size_t padded_rows, size_t scan_dimensions);
RowsLayout rows_layout(size_t rows, size_t dimensions, size_t scan_dimensions);

FileHeader make_file_header(size_t dimensions, size_t scan_dimensions, std::string_view model);
bool is_sound(const FileHeader& header);
bool is_of_another_version(const FileHeader& header);

RecordHeader make_record_header(RecordKind kind, size_t count, std::string_view payload);
void mark_replacing(RecordHeader& header);
bool is_sound(const RecordHeader& header);

// Of the length too. Not cryptographic: it finds accidents, not attacks.
uint64_t checksum(std::string_view bytes);

// One row's 4-bit codes, into bytes that are zero, and its scale (see scan.h): of some scales that
// cut more or less off the largest values, the one with the smallest squared error.
float encode_row(std::span<const float> values, size_t row_in_block, uint8_t* block);

}  // namespace tinyarms::index
