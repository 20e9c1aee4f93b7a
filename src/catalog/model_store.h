// The models installed on this machine: `<name>.gguf` in one folder, each with a sidecar
// `<name>.json` that holds what is slow to find out (the hash) or not in the file (its source).
// The GGUF is the truth: a missing or broken sidecar costs facts, never the model.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "catalog/installed_model.h"
#include "engine/bert_import.h"

namespace tinyarms::catalog {

struct AddOptions {
  std::string name = {};         // empty: the source's stem, made to fit the rules
  std::string source_note = {};  // empty: the source's path
  std::vector<DownloadRecord> downloads = {};
};

struct AdoptOptions {
  std::string name = {};
  std::string source_note = {};
  std::string sha256 = {};  // of the file, which the caller has just computed
  std::vector<DownloadRecord> downloads = {};
  std::string replaces = {};  // SHA-256 of the version that may have the name now; empty: none
};

struct ImportOptions {
  std::string name = {};
  std::string source_note = {};
  engine::EncoderType encoder_type = engine::EncoderType::F16;  // for a folder only
};

// A name is 1 to 100 of [a-z0-9._-] and begins with a letter or digit: no path is spelt with it.
bool is_model_name(std::string_view name);

// `text` lower-cased, every other character replaced by '-'; empty where nothing is left.
std::string make_model_name(std::string_view text);

// Stateless apart from the folder: any thread, any number of processes.
class ModelStore {
 public:
  explicit ModelStore(std::filesystem::path models_dir);

  const std::filesystem::path& folder() const { return models_dir_; }

  // By name. A folder that does not exist holds no models. Errors: Io.
  Result<std::vector<InstalledModel>> list() const;

  // An exact name, a prefix that only one name has, or the path of a .gguf anywhere. Errors:
  // NotFound (names the nearest and what is installed), InvalidArgument (the prefix of several),
  // Corrupt or Io (a path whose file is no good).
  Result<InstalledModel> find(std::string_view name_or_path) const;
  // Each of them, in their order; the first error of all.
  Result<std::vector<InstalledModel>> find_all(const std::vector<std::string>& words) const;

  // The sidecar's hash, else the file's, which takes about a second per gigabyte.
  Result<std::string> sha256_of(const InstalledModel& model) const;

  // Validates, copies (sharing blocks where the file system can), hashes the copy, writes the
  // sidecar. The same content under the same name is done already. Adding a file that lies in the
  // store gives it its sidecar. Another file is never replaced. Errors: InvalidArgument (name; the
  // name is another file's), NotFound, Corrupt, Io (with the bytes needed and free); nothing is
  // left behind then.
  Result<InstalledModel> add_gguf(const std::filesystem::path& source,
                                  const AddOptions& options) const;

  // Moves a whole file of the same file system in: it has its name at once, or not at all. The same
  // content under the same name is done already. The version it replaces is kept
  // (catalog/previous_version.h). Errors: as add_gguf; the file stays where it is then.
  Result<InstalledModel> adopt(const std::filesystem::path& file,
                               const AdoptOptions& options) const;

  // A folder of safetensors and vocabulary → GGUF; a .gguf as it is. Errors: as add_gguf, and
  // those of engine::import_bert.
  Result<InstalledModel> import(const std::filesystem::path& source,
                                const ImportOptions& options) const;

  // By exact name, with the version that is kept of it. Errors: NotFound, Io.
  Result<void> remove(std::string_view name) const;

 private:
  std::filesystem::path path_of(std::string_view name) const;
  std::vector<std::string> names() const;
  Result<InstalledModel> find_by_prefix(std::string_view word) const;
  Result<InstalledModel> settle(PendingFile& staged, const std::string& name,
                                const AddOptions& options) const;

  std::filesystem::path models_dir_;
};

}  // namespace tinyarms::catalog
