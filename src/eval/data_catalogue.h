// The data sets that tasks read, with the size and hash of every file: what `data pull` fetches is
// what the tasks were tested with, or nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/embedded_file.h"
#include "base/result.h"

namespace tinyarms::eval {

struct DataFile {
  std::string path;  // below the data folder, "mbpp/mbpp.jsonl"
  uint64_t bytes = 0;
  std::string sha256;
};

struct DataSet {
  std::string name;
  std::vector<DataFile> files;
};

std::vector<EmbeddedFile> catalogue_files();  // generated from data_catalogue.json
const std::vector<DataSet>& data_catalogue();

// Errors: NotFound, with the nearest known name.
Result<const DataSet*> find_data_set(std::string_view name);

enum class DataState { Missing, Sound, Other };  // Other: not the file that is pinned
DataState check_data_file(const DataFile& file, const std::filesystem::path& folder);

// Copies every file of the set that is not there from a mirror, checks its hash, and puts it in
// place only then. `mirror` is file:///absolute/folder, laid out like the data folder. Errors:
// Unsupported (another kind of address), NotFound, Corrupt (another hash), Io.
struct PullOptions {
  std::string mirror;
  std::filesystem::path folder;
};
Result<size_t> pull_data(const DataSet& set, const PullOptions& options);  // files fetched

}  // namespace tinyarms::eval
