#include "eval/data_catalogue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/nearest.h"
#include "base/sha256.h"
#include "eval/data_file.h"

namespace tinyarms::eval {
namespace {

constexpr std::string_view kFileScheme = "file://";

std::vector<DataSet> read_catalogue() {
  std::vector<DataSet> sets;
  const auto json = nlohmann::ordered_json::parse(catalogue_files().front().bytes);
  for (const auto& [name, files] : json.items()) {
    DataSet set{.name = name, .files = {}};
    for (const auto& file : files) {
      set.files.push_back({.path = file.at("path").get<std::string>(),
                           .bytes = file.at("bytes").get<uint64_t>(),
                           .sha256 = file.at("sha256").get<std::string>()});
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

Result<void> pull_file(const DataFile& file, const std::filesystem::path& source,
                       const std::filesystem::path& folder) {
  auto bytes = read_file(source, kDataFileBytesMax);
  if (!bytes) return bytes.error();
  if (sha256_hex(*bytes) != file.sha256) {
    return Error{ErrorCode::Corrupt,
                 fmt::format("is not the file that is pinned ({} bytes, sha256 {})", file.bytes,
                             file.sha256),
                 source.string(), "use a mirror of the pinned data; nothing was written"};
  }
  return write_file_atomically(folder / file.path, *bytes);
}

}  // namespace

const std::vector<DataSet>& data_catalogue() {
  static const std::vector<DataSet> sets = read_catalogue();
  return sets;
}

Result<const DataSet*> find_data_set(std::string_view name) {
  std::vector<std::string> known;
  for (const DataSet& set : data_catalogue()) {
    if (set.name == name) return &set;
    known.push_back(set.name);
  }
  const auto near = nearest(name, known);
  return Error{ErrorCode::NotFound, fmt::format("there is no data set `{}`", name), "",
               near ? fmt::format("did you mean `{}`?", *near)
                    : fmt::format("there are: {}", fmt::join(known, ", "))};
}

DataState check_data_file(const DataFile& file, const std::filesystem::path& folder) {
  const auto hash = sha256_file(folder / file.path);
  if (!hash) return DataState::Missing;
  return *hash == file.sha256 ? DataState::Sound : DataState::Other;
}

Result<size_t> pull_data(const DataSet& set, const PullOptions& options) {
  if (options.mirror.compare(0, kFileScheme.size(), kFileScheme) != 0 ||
      options.mirror.size() == kFileScheme.size() || options.mirror[kFileScheme.size()] != '/') {
    return Error{ErrorCode::Unsupported, "is not a mirror this build can read", options.mirror,
                 "copy the data into a folder and name it: --mirror file:///absolute/folder"};
  }
  const std::filesystem::path mirror = options.mirror.substr(kFileScheme.size());
  size_t fetched = 0;
  for (const DataFile& file : set.files) {
    if (check_data_file(file, options.folder) == DataState::Sound) continue;
    if (auto done = pull_file(file, mirror / file.path, options.folder); !done) {
      return done.error();
    }
    ++fetched;
  }
  return fetched;
}

}  // namespace tinyarms::eval
