#include "encoder/model_manners.h"

#include <fmt/format.h>

#include <cmath>

namespace tinyarms::encoder {
namespace {

bool is_embedding_gemma(const engine::ModelFacts& facts) {
  return facts.architecture == "gemma-embedding";
}

}  // namespace

std::string prompt_for(const engine::ModelFacts& facts, Purpose purpose) {
  if (!is_embedding_gemma(facts)) return "";
  switch (purpose) {
    case Purpose::Plain: return "";
    case Purpose::Query: return "task: search result | query: ";
    case Purpose::Document: return "title: none | text: ";
  }
  return "";
}

std::vector<size_t> trained_sizes(const engine::ModelFacts& facts) {
  if (is_embedding_gemma(facts)) return {768, 512, 256, 128};
  return {facts.embedding_width};
}

Result<void> shorten(std::vector<float>& unit, size_t size) {
  if (size == 0 || size > unit.size()) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("vectors of {} values cannot be given {}", unit.size(), size),
                 "dimensions", fmt::format("give 1 to {}", unit.size())};
  }
  double squares = 0;
  for (size_t i = 0; i < size; ++i) squares += double{unit[i]} * double{unit[i]};
  if (!std::isfinite(squares) || squares <= 0) {
    return Error{ErrorCode::Corrupt, fmt::format("nothing is left of a vector in its first {} "
                                                 "values", size),
                 "dimensions", "give more dimensions"};
  }
  unit.resize(size);
  const double scale = 1.0 / std::sqrt(squares);
  for (float& value : unit) value = static_cast<float>(value * scale);
  return {};
}

}  // namespace tinyarms::encoder
