// Which encoders' vectors an index has, one file each, and which of them serve. Kept as one fact of
// the passages' database, so that the change from one encoder to the next is one write.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/passage_store.h"

namespace tinyarms::corpus {

// An encoder whose vectors these are.
struct VectorMaker {
  std::string model = {};     // for people
  std::string model_id = {};  // its hash
  size_t dimensions = 0;
};

struct VectorSet {
  VectorMaker maker = {};
  std::string file = {};  // its name in the library's folder
  // Whether every passage has its vector, but for those of a batch that is being embedded. One that
  // is not may never rank: passages with a vector would come before those that have none yet.
  bool complete = false;
};

struct VectorSets {
  std::vector<VectorSet> sets = {};  // oldest first
  std::string serving = {};          // model_id of the one kept up to date

  VectorSet* find(std::string_view model_id);
  const VectorSet* find(std::string_view model_id) const;
  // The one that may be searched by who wants `model_id` (empty: any): its own where that is
  // complete, else the serving one where that is; null: none.
  const VectorSet* to_search(std::string_view model_id) const;
};

std::string vector_file_name(std::string_view model_id);
// Of a set as they are named now; not of those set aside, nor of anything else.
bool is_vector_file_name(std::string_view name);

// Errors: those of the database; Corrupt.
Result<VectorSets> read_vector_sets(storage::PassageStore& store);
Result<void> write_vector_sets(storage::PassageStore& store, const VectorSets& sets);
// As it lies in the database: whether anything changed is whether this did.
Result<std::string> vector_sets_text(storage::PassageStore& store);

}  // namespace tinyarms::corpus
