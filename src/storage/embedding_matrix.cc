#include "storage/embedding_matrix.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

namespace tinyarms::storage {

std::optional<std::vector<float>> unit_vector(std::span<const float> values) {
  double squares = 0;
  for (float value : values) squares += double{value} * double{value};
  // Not finite also where a value is NaN or infinite; a denormal length has lost its direction.
  if (!std::isfinite(squares) || squares < 1e-30) return std::nullopt;
  const double scale = 1 / std::sqrt(squares);
  std::vector<float> unit;
  unit.reserve(values.size());
  for (float value : values) unit.push_back(static_cast<float>(value * scale));
  return unit;
}

std::optional<std::vector<float>> vector_from_blob(std::span<const std::byte> blob) {
  static_assert(std::endian::native == std::endian::little, "blobs are little-endian floats");
  if (blob.empty() || blob.size() % sizeof(float) != 0) return std::nullopt;
  std::vector<float> values(blob.size() / sizeof(float));
  std::memcpy(values.data(), blob.data(), blob.size());
  const bool finite =
      std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  if (!finite) return std::nullopt;
  return values;
}

float dot_product(std::span<const float> a, std::span<const float> b) {
  assert(a.size() == b.size());
  // Sixteen sums instead of one: additions of floats may not be reordered by the compiler, so the
  // lanes of its vectors have to be spelt out.
  constexpr size_t kLanes = 16;
  std::array<float, kLanes> sums{};
  const float* left = a.data();
  const float* right = b.data();
  size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += left[i + lane] * right[i + lane];
    }
  }
  float sum = 0;
  for (; i < a.size(); ++i) sum += left[i] * right[i];
  for (float lane : sums) sum += lane;
  return sum;
}

void EmbeddingMatrix::append(int64_t id, std::span<const float> unit) {
  assert(ids_.empty() || (id > ids_.back() && unit.size() == dimensions_));
  dimensions_ = unit.size();
  ids_.push_back(id);
  values_.insert(values_.end(), unit.begin(), unit.end());
}

void EmbeddingMatrix::retain(std::span<const int64_t> ids) {
  size_t kept = 0;
  for (size_t row = 0; row < ids_.size(); ++row) {
    if (!std::binary_search(ids.begin(), ids.end(), ids_[row])) continue;
    if (kept != row) {
      ids_[kept] = ids_[row];
      std::copy_n(values_.begin() + static_cast<std::ptrdiff_t>(row * dimensions_), dimensions_,
                  values_.begin() + static_cast<std::ptrdiff_t>(kept * dimensions_));
    }
    ++kept;
  }
  ids_.resize(kept);
  values_.resize(kept * dimensions_);
  if (kept == 0) dimensions_ = 0;
}

std::optional<EmbeddingMatrix::Match> EmbeddingMatrix::nearest(
    std::span<const float> unit) const {
  if (ids_.empty()) return std::nullopt;
  assert(unit.size() == dimensions_);
  size_t best = 0;
  float best_cosine = -2;
  for (size_t row = 0; row < ids_.size(); ++row) {
    const float cosine = dot_product({values_.data() + row * dimensions_, dimensions_}, unit);
    if (cosine >= best_cosine) {
      best = row;
      best_cosine = cosine;
    }
  }
  return Match{ids_[best], std::clamp(double{best_cosine}, -1.0, 1.0)};
}

}  // namespace tinyarms::storage
