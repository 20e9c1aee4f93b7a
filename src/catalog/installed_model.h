// One model file of the store: what is known of it, from its sidecar where that vouches for the
// file as it is now, else from the file itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace tinyarms::catalog {

// A file as a server had it: what it is known by when the same address is asked again.
struct DownloadRecord {
  std::string url{};
  std::string etag{};  // empty: the server names none
  uint64_t bytes = 0;
  std::string sha256{};  // of what came

  bool operator==(const DownloadRecord&) const = default;
};

// More than that many are not remembered.
inline constexpr size_t kDownloadsMax = 64;

struct InstalledModel {
  std::string name;  // the file's stem
  std::filesystem::path path;
  std::string sha256;  // empty where no sidecar vouches for it; ModelStore::sha256_of finds it
  uint64_t bytes = 0;
  std::string architecture;
  std::string quantization;
  std::string licence;
  std::string source;  // where it came from, in words or as a path
  // The addresses this very file came from; of a model that was joined, its parts.
  std::vector<DownloadRecord> downloads;
  bool encoder = false;
  bool reranker = false;  // an encoder that scores pairs of texts
  uint64_t parameters = 0;
  std::string problem;  // why the file cannot be used; empty where it can
};

// `<name>.json` beside `<name>.gguf`.
std::filesystem::path sidecar_of(const std::filesystem::path& gguf);

// Never fails: a file that cannot be read comes with its `problem`. A sidecar counts only where
// the file's size and modification time are those it was written for.
InstalledModel describe_model(const std::filesystem::path& gguf);

// Errors: Io.
Result<void> write_sidecar(const InstalledModel& model);

}  // namespace tinyarms::catalog
