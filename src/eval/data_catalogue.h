// The data sets that tasks read, with the size, hash and (where it is published as it is) address
// of every file: what `data pull` fetches is what the tasks were tested with, or nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/embedded_file.h"
#include "base/result.h"
#include "base/stop_flag.h"

namespace tinyarms::eval {

struct DataFile {
  std::string path;  // below the data folder, "mbpp/mbpp.jsonl"
  uint64_t bytes = 0;
  std::string sha256;
  std::string url;  // at a pinned commit; empty: cut from a larger file, so only a mirror has it
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

// Fetches every file of the set that is not there, checks its hash, and puts it in place only then.
// `mirror` is laid out like the data folder: file:///absolute/folder, or a web address; without one
// the file's own address is asked. An interrupted download is gone on with. Errors: Unsupported
// (another kind of address, or none), NotFound, Corrupt (another hash; what came is thrown away),
// Unavailable, OverBudget (longer than pinned), Io, Interrupted.
struct PullOptions {
  std::string mirror;
  std::filesystem::path folder;
  std::function<void(const DataFile& file, uint64_t bytes)> progress = {};
};
Result<size_t> pull_data(const DataSet& set, const PullOptions& options,
                         const StopFlag& stop);  // files fetched

}  // namespace tinyarms::eval
