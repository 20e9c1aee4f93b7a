// The embeddings of one binding's answers, row by row in memory, for exact nearest-neighbour
// search. A plain scan: 10 000 rows of 384 floats are 15 MB, a few milliseconds at most; an index
// pays only well beyond that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tinyarms::storage {

// `values` scaled to length 1, or nothing where it is empty, zero or not finite.
std::optional<std::vector<float>> unit_vector(std::span<const float> values);

// A blob as Statement::bind writes it, or nothing where it is empty, cut off or not finite.
std::optional<std::vector<float>> vector_from_blob(std::span<const std::byte> blob);

// Of two vectors of equal length.
float dot_product(std::span<const float> a, std::span<const float> b);

class EmbeddingMatrix {
 public:
  struct Match {
    int64_t id = 0;
    double cosine = 0;
  };

  size_t rows() const { return ids_.size(); }
  size_t dimensions() const { return dimensions_; }  // 0 while empty
  std::span<const int64_t> ids() const { return ids_; }

  // `unit` has length 1 and the matrix's dimensions (any, while it is empty); `id` is larger than
  // every id in it.
  void append(int64_t id, std::span<const float> unit);

  // Keeps the rows whose ids are in `ids`, which ascend.
  void retain(std::span<const int64_t> ids);

  // The row with the largest cosine to `unit` (same dimensions); of equals the largest id.
  std::optional<Match> nearest(std::span<const float> unit) const;

 private:
  size_t dimensions_ = 0;
  std::vector<int64_t> ids_;   // ascending
  std::vector<float> values_;  // rows() × dimensions()
};

}  // namespace tinyarms::storage
