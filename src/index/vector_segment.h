// The rows of one record of a vector file, mapped, and the first pass of a search over them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/vector_index.h"

namespace tinyarms::index {

// Bytes of a file, mapped read-only from a whole page on.
class Mapping {
 public:
  static std::optional<Mapping> of(int file, size_t offset, size_t bytes);
  ~Mapping();
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&&) = delete;

  std::string_view bytes() const { return {data_, size_}; }

 private:
  Mapping(const char* data, size_t size) : data_(data), size_(size) {}
  const char* data_;
  size_t size_;
};

struct VectorIndex::Segment {
  // `payload` lies in `mapped` and has the size of its layout.
  Segment(Mapping mapped, std::string_view payload, size_t count, size_t dimensions,
          size_t scan_dimensions);

  const float* vector(size_t row) const { return vectors + row * dimensions; }

  Mapping mapping;
  size_t rows;
  size_t dimensions;
  const int64_t* ids;
  const uint8_t* codes;
  const float* vectors;
  std::vector<float> scales;  // padded to whole blocks; NaN where a row is removed
};

// False, and nothing changed, where it is zero or not finite.
bool scale_to_unit(std::span<float> values);

// Of unit vectors: see vector_records.h.
std::string rows_payload(std::span<const int64_t> ids, std::span<const float> unit,
                         size_t dimensions, size_t scan_dimensions);

std::vector<Match> best_of(std::vector<Match> matches, size_t count);

struct Candidate {
  float score = 0;
  const VectorIndex::Segment* segment = nullptr;
  size_t row = 0;
};

// Keeps the best rows by their 4-bit codes.
class CandidateScan {
 public:
  CandidateScan(std::span<const float> unit_query, size_t scan_dimensions, size_t wanted);

  void add(const VectorIndex::Segment& segment);
  std::vector<Candidate> finish();  // at most `wanted`, in no order

 private:
  void trim();

  size_t wanted_;
  std::vector<int8_t> query_;
  float offset_ = 0;
  float score_min_;
  std::vector<Candidate> kept_;
  std::vector<uint32_t> rows_;  // what the kernel writes
  std::vector<float> scores_;
};

}  // namespace tinyarms::index
