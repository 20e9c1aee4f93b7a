#include "catalog/installed_model.h"

#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/sha256.h"
#include "engine/model_facts.h"

namespace tinyarms::catalog {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kSidecarFormat = 1;
constexpr size_t kSidecarBytesMax = 256 * 1024;

struct FileStamp {
  uint64_t bytes = 0;
  int64_t modified_ns = 0;
};

std::optional<FileStamp> stamp_of(const fs::path& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  return FileStamp{static_cast<uint64_t>(facts.st_size),
                   int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec};
}

// Sidecars of before there was such a list have none. One record that is no good costs all: the
// price is a download.
std::vector<DownloadRecord> read_downloads(const Json& json) {
  const auto list = json.find("downloads");
  if (list == json.end() || !list->is_array() || list->size() > kDownloadsMax) return {};
  std::vector<DownloadRecord> downloads;
  for (const Json& entry : *list) {
    DownloadRecord record;
    try {
      record = {.url = entry.at("url").get<std::string>(),
                .etag = entry.at("etag").get<std::string>(),
                .bytes = entry.at("bytes").get<uint64_t>(),
                .sha256 = entry.at("sha256").get<std::string>()};
    } catch (const Json::exception&) {
      return {};
    }
    if (!is_sha256(record.sha256)) return {};
    downloads.push_back(std::move(record));
  }
  return downloads;
}

// All of it or nothing: half a sidecar is a broken one.
bool read_sidecar(const fs::path& gguf, const FileStamp& stamp, InstalledModel& model) {
  std::error_code problem;
  if (!fs::is_regular_file(sidecar_of(gguf), problem)) return false;
  auto bytes = read_file(sidecar_of(gguf), kSidecarBytesMax);
  if (!bytes) return false;
  const Json json = Json::parse(*bytes, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return false;
  InstalledModel read = model;
  try {
    if (json.at("format").get<int>() != kSidecarFormat ||
        json.at("bytes").get<uint64_t>() != stamp.bytes ||
        json.at("modified_ns").get<int64_t>() != stamp.modified_ns) {
      return false;
    }
    read.sha256 = json.at("sha256").get<std::string>();
    read.architecture = json.at("architecture").get<std::string>();
    read.quantization = json.at("quantization").get<std::string>();
    read.licence = json.at("licence").get<std::string>();
    read.source = json.at("source").get<std::string>();
    read.encoder = json.at("encoder").get<bool>();
    read.reranker = json.value("reranker", false);
    read.parameters = json.at("parameters").get<uint64_t>();
  } catch (const Json::exception&) {
    return false;
  }
  if (!is_sha256(read.sha256)) return false;
  read.downloads = read_downloads(json);
  model = std::move(read);
  return true;
}

}  // namespace

fs::path sidecar_of(const fs::path& gguf) {
  fs::path sidecar = gguf;
  return sidecar.replace_extension(".json");
}

InstalledModel describe_model(const fs::path& gguf) {
  InstalledModel model;
  model.name = gguf.stem().string();
  model.path = gguf;
  const auto stamp = stamp_of(gguf);
  if (stamp) {
    model.bytes = stamp->bytes;
    if (read_sidecar(gguf, *stamp, model)) return model;
  }
  auto facts = engine::inspect_model(gguf);
  if (!facts) {
    model.problem = facts.error().what;
    return model;
  }
  model.architecture = facts->architecture;
  model.quantization = facts->quantization;
  model.licence = facts->licence;
  model.encoder = facts->encoder;
  model.reranker = facts->reranker;
  model.parameters = facts->parameters;
  return model;
}

Result<void> write_sidecar(const InstalledModel& model) {
  const auto stamp = stamp_of(model.path);
  if (!stamp) {
    return Error{ErrorCode::Io, "vanished while it was installed", model.path.string(),
                 "import it again"};
  }
  Json downloads = Json::array();
  for (const DownloadRecord& record : model.downloads) {
    downloads.push_back({{"url", record.url},
                         {"etag", record.etag},
                         {"bytes", record.bytes},
                         {"sha256", record.sha256}});
  }
  const Json json = {{"format", kSidecarFormat},
                     {"sha256", model.sha256},
                     {"bytes", stamp->bytes},
                     {"modified_ns", stamp->modified_ns},
                     {"architecture", model.architecture},
                     {"quantization", model.quantization},
                     {"licence", model.licence},
                     {"source", model.source},
                     {"downloads", downloads},
                     {"encoder", model.encoder},
                     {"reranker", model.reranker},
                     {"parameters", model.parameters}};
  // What a model says of itself may be no UTF-8.
  const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace);
  return write_file_atomically(sidecar_of(model.path), text + "\n");
}

}  // namespace tinyarms::catalog
