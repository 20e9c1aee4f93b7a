#include "eval/data_catalogue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/nearest.h"
#include "base/sha256.h"
#include "eval/data_file.h"
#include "remote/download.h"

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
                           .sha256 = file.at("sha256").get<std::string>(),
                           .url = file.value("url", "")});
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

Error not_pinned(const DataFile& file, const std::string& where) {
  return Error{ErrorCode::Corrupt,
               fmt::format("is not the file that is pinned ({} bytes, sha256 {})", file.bytes,
                           file.sha256),
               where, "use a mirror of the pinned data; nothing was written"};
}

Result<void> copy_file(const DataFile& file, const std::filesystem::path& source,
                       const std::filesystem::path& folder) {
  auto bytes = read_file(source, kDataFileBytesMax);
  if (!bytes) return bytes.error();
  if (sha256_hex(*bytes) != file.sha256) return not_pinned(file, source.string());
  return write_file_atomically(folder / file.path, *bytes);
}

Result<void> fetch_file(const DataFile& file, const std::string& url, const PullOptions& options,
                        const StopFlag& stop) {
  std::filesystem::path part = options.folder / file.path;
  part += ".part";
  const auto progress = [&](uint64_t bytes) {
    if (options.progress) options.progress(file, bytes);
  };
  const remote::Download download{.url = url, .part = part, .bytes = file.bytes};
  if (auto done = remote::download(download, {}, stop, progress); !done) return done.error();
  const auto hash = sha256_file(part);
  if (!hash) return hash.error();
  std::error_code problem;
  if (*hash != file.sha256) {
    std::filesystem::remove(part, problem);
    return not_pinned(file, url);
  }
  std::filesystem::rename(part, options.folder / file.path, problem);
  if (problem) {
    return Error{ErrorCode::Io, fmt::format("cannot be put in place: {}", problem.message()),
                 (options.folder / file.path).string(), ""};
  }
  return {};
}

bool begins(const std::string& text, std::string_view with) {
  return text.compare(0, with.size(), with) == 0;
}

// Where a file is fetched from. Errors: Unsupported.
Result<std::string> address_of(const DataFile& file, const std::string& mirror) {
  if (mirror.empty() && !file.url.empty()) return file.url;
  if (mirror.empty()) {
    return Error{ErrorCode::Unsupported,
                 "is cut from a larger file and nowhere published as it is pinned", file.path,
                 "copy the data into a folder and name it: --mirror file:///absolute/folder"};
  }
  const bool folder = begins(mirror, kFileScheme) && mirror.size() > kFileScheme.size() &&
                      mirror[kFileScheme.size()] == '/';
  if (folder || begins(mirror, "https://") || begins(mirror, "http://")) {
    return mirror + (mirror.back() == '/' ? "" : "/") + file.path;
  }
  return Error{ErrorCode::Unsupported, "is not a mirror this build can read", mirror,
               "name a folder, file:///absolute/folder, or a web address, https://…"};
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

Result<size_t> pull_data(const DataSet& set, const PullOptions& options, const StopFlag& stop) {
  size_t fetched = 0;
  for (const DataFile& file : set.files) {
    if (check_data_file(file, options.folder) == DataState::Sound) continue;
    auto address = address_of(file, options.mirror);
    if (!address) return address.error();
    auto done = begins(*address, kFileScheme)
                    ? copy_file(file, address->substr(kFileScheme.size()), options.folder)
                    : fetch_file(file, *address, options, stop);
    if (!done) return done.error();
    ++fetched;
  }
  return fetched;
}

}  // namespace tinyarms::eval
