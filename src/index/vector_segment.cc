#include "index/vector_segment.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "index/scan.h"
#include "index/vector_records.h"

namespace tinyarms::index {
namespace {

constexpr size_t kRoom = 1024;  // rows that the kernel reports at a time

}  // namespace

std::optional<Mapping> Mapping::of(int file, size_t offset, size_t bytes) {
  void* data = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, static_cast<off_t>(offset));
  if (data == MAP_FAILED) return std::nullopt;
  ::madvise(data, bytes, MADV_WILLNEED);
  return Mapping(static_cast<const char*>(data), bytes);
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

VectorIndex::Segment::Segment(Mapping mapped, std::string_view payload, size_t count, size_t size,
                              size_t scan_dimensions)
    : mapping(std::move(mapped)), rows(count), dimensions(size) {
  const RowsLayout layout = rows_layout(count, size, scan_dimensions);
  ids = reinterpret_cast<const int64_t*>(payload.data());
  codes = reinterpret_cast<const uint8_t*>(payload.data() + layout.codes);
  vectors = reinterpret_cast<const float*>(payload.data() + layout.vectors);
  const size_t padded = (count + kBlockRows - 1) / kBlockRows * kBlockRows;
  scales.resize(padded);
  std::memcpy(scales.data(), payload.data() + layout.scales, padded * sizeof(float));
}

bool scale_to_unit(std::span<float> values) {
  double squares = 0;
  for (const float value : values) squares += double{value} * double{value};
  if (!std::isfinite(squares) || squares <= 0) return false;
  const double scale = 1.0 / std::sqrt(squares);
  for (float& value : values) value = static_cast<float>(value * scale);
  return true;
}

std::string rows_payload(std::span<const int64_t> ids, std::span<const float> unit,
                         size_t dimensions, size_t scan_dimensions) {
  const RowsLayout layout = rows_layout(ids.size(), dimensions, scan_dimensions);
  const size_t padded = (ids.size() + kBlockRows - 1) / kBlockRows * kBlockRows;
  std::string payload(layout.bytes, '\0');
  std::memcpy(payload.data(), ids.data(), ids.size() * sizeof(int64_t));
  std::vector<float> scales(padded, std::numeric_limits<float>::quiet_NaN());
  auto* codes = reinterpret_cast<uint8_t*>(payload.data() + layout.codes);
  const size_t front = std::min(dimensions, scan_dimensions);
  for (size_t row = 0; row < ids.size(); ++row) {
    uint8_t* block = codes + row / kBlockRows * codes_bytes(kBlockRows, scan_dimensions);
    scales[row] = encode_row(unit.subspan(row * dimensions, front), row % kBlockRows, block);
  }
  std::memcpy(payload.data() + layout.scales, scales.data(), padded * sizeof(float));
  std::memcpy(payload.data() + layout.vectors, unit.data(), unit.size() * sizeof(float));
  return payload;
}

std::vector<Match> best_of(std::vector<Match> matches, size_t count) {
  count = std::min(count, matches.size());
  std::partial_sort(matches.begin(), matches.begin() + static_cast<std::ptrdiff_t>(count),
                    matches.end(), [](const Match& a, const Match& b) {
                      return a.cosine != b.cosine ? a.cosine > b.cosine : a.id < b.id;
                    });
  matches.resize(count);
  return matches;
}

CandidateScan::CandidateScan(std::span<const float> unit_query, size_t scan_dimensions,
                             size_t wanted)
    : wanted_(wanted),
      query_(scan_dimensions, 0),
      score_min_(-std::numeric_limits<float>::infinity()),
      rows_(kRoom),
      scores_(kRoom) {
  const size_t front = std::min(unit_query.size(), scan_dimensions);
  float top = 0;
  for (size_t i = 0; i < front; ++i) top = std::max(top, std::fabs(unit_query[i]));
  if (top == 0) return;  // the front says nothing: every row scores alike
  const float scale = static_cast<float>(kQueryMax) / top;
  for (size_t i = 0; i < front; ++i) {
    query_[i] = static_cast<int8_t>(std::lround(unit_query[i] * scale));
    offset_ += kMiddleCode * static_cast<float>(query_[i]);
  }
}

void CandidateScan::add(const VectorIndex::Segment& segment) {
  const size_t blocks = segment.scales.size() / kBlockRows;
  for (size_t block = 0; block < blocks;) {
    const ScanTask task = {.codes = segment.codes + codes_bytes(block * kBlockRows, query_.size()),
                           .scales = segment.scales.data() + block * kBlockRows,
                           .query = query_.data(),
                           .size = query_.size(),
                           .blocks = blocks - block,
                           .offset = offset_,
                           .score_min = score_min_,
                           .rows = rows_.data(),
                           .scores = scores_.data(),
                           .room = kRoom};
    const ScanEnd end = scan_kernel().scan(task);
    for (size_t i = 0; i < end.found; ++i) {
      kept_.push_back({scores_[i], &segment, block * kBlockRows + rows_[i]});
    }
    block += end.blocks;
    trim();
  }
}

// Once more are kept than wanted, the worst of the wanted is what a further row must exceed.
void CandidateScan::trim() {
  if (kept_.size() <= wanted_) return;
  const auto last = kept_.begin() + static_cast<std::ptrdiff_t>(wanted_ - 1);
  std::nth_element(kept_.begin(), last, kept_.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  kept_.resize(wanted_);
  score_min_ = kept_.back().score;
}

std::vector<Candidate> CandidateScan::finish() {
  trim();
  return std::move(kept_);
}

}  // namespace tinyarms::index
