// How an index is searched; how it is kept in its file is in vector_index.cc.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "index/scan.h"
#include "index/vector_index.h"
#include "index/vector_segment.h"

namespace tinyarms::index {

Result<std::vector<Match>> VectorIndex::search(std::span<const float> query,
                                               const SearchOptions& options) const {
  auto unit = unit_query(query);
  if (!unit) return unit.error();
  const bool front_only = options_.scan_dimensions < options_.dimensions;
  const size_t usual = front_only ? std::max<size_t>(40 * options.count, 400)
                                  : std::max<size_t>(8 * options.count, 128);
  const size_t wanted =
      std::max(options.count, options.candidates != 0 ? options.candidates : usual);
  CandidateScan scan(*unit, options_.scan_dimensions, wanted);
  for (const auto& segment : segments_) scan.add(*segment);
  std::vector<Match> matches;
  for (const Candidate& candidate : scan.finish()) {
    matches.push_back({candidate.segment->ids[candidate.row],
                       dot_product(unit->data(), candidate.segment->vector(candidate.row),
                                   options_.dimensions)});
  }
  return best_of(std::move(matches), options.count);
}

Result<std::vector<Match>> VectorIndex::search_in_full(std::span<const float> query,
                                                       size_t count) const {
  auto unit = unit_query(query);
  if (!unit) return unit.error();
  std::vector<Match> matches;
  for (const auto& segment : segments_) {
    for (size_t row = 0; row < segment->rows; ++row) {
      if (std::isnan(segment->scales[row])) continue;
      matches.push_back({segment->ids[row], dot_product(unit->data(), segment->vector(row),
                                                        options_.dimensions)});
    }
  }
  return best_of(std::move(matches), count);
}

Result<std::vector<float>> VectorIndex::unit_query(std::span<const float> query) const {
  if (query.size() != options_.dimensions) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("a query of {} values, in an index of {}", query.size(),
                             options_.dimensions),
                 "", "use the model that the index was made with"};
  }
  std::vector<float> unit(query.begin(), query.end());
  if (!scale_to_unit(unit)) {
    return Error{ErrorCode::InvalidArgument, "the query's vector is zero or not finite", "", ""};
  }
  return unit;
}

}  // namespace tinyarms::index
