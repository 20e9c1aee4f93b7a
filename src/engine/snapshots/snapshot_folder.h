// The folder of prefix snapshots: one sealed file each (snapshot_file.h), mode 0600, within a size
// limit. Several processes may share it: files appear whole or not at all, and one that another
// process removed is simply no longer there. What is not as it should be is never used: damaged
// files are removed, those of another version, another owner or with loose permissions are passed
// over and are the first to go when room is needed; each is told of once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/result.h"
#include "engine/snapshots/snapshot_file.h"

namespace tinyarms::engine {

struct SnapshotFolderOptions {
  std::filesystem::path folder{};
  std::filesystem::path key_file{};  // of the seal; made where it is not there
  uint64_t bytes_max = 0;            // of all files together
  std::function<void(const std::string&)> on_notice{};  // one line for the log; any thread
};

struct StoredSnapshot {
  std::string name;  // of the file
  SnapshotHead head;
  uint64_t bytes = 0;
  double used_at = 0;  // wall clock
};

// Thread-safe; finding never waits for the disk. The clock outlives it.
class SnapshotFolder {
 public:
  // Makes the folder (0700) and the key, and removes what killed processes left half written.
  // Errors: Config (others may look into it, or it is not this user's), Io.
  static Result<std::unique_ptr<SnapshotFolder>> open(SnapshotFolderOptions options,
                                                      const Clock& clock);

  // Looks at what is there, reading the heads of files that it does not know yet.
  void refresh();

  // The name under which a scope stands in heads; nobody without the key can guess it.
  std::string scope_tag(const std::string& scope) const;

  struct Match {
    std::string name{};
    size_t length = 0;  // tokens alike
    size_t tokens = 0;  // of the snapshot
    uint64_t bytes = 0;
    double seconds = 0;
  };
  // The one that shares most with the beginning of `tokens`; nothing where none does.
  std::optional<Match> find(const std::string& binding, const std::string& scope_tag,
                            std::span<const int32_t> tokens) const;

  struct Loaded {
    SnapshotHead head;
    std::string file;
    size_t state_at = 0;
    std::string_view state() const { return std::string_view(file).substr(state_at); }
  };
  // Every byte checked. Errors: NotFound, Corrupt (removed), Unsupported, Io (passed over).
  Result<Loaded> read(const std::string& name);

  // Dated now. Makes room for it; those that it begins with go. Errors: OverBudget (larger than
  // the limit alone), Io; nothing is left behind then.
  Result<void> write(SnapshotHead head, std::string_view state);

  std::vector<StoredSnapshot> list() const;  // last used first
  uint64_t bytes() const;                    // unusable files included
  Result<size_t> clear();                    // how many files went. Errors: Io.

 private:
  struct Entry {
    SnapshotHead head;
    uint64_t bytes = 0;
    uint64_t inode = 0;
    double used_at = 0;
  };
  struct Contents {
    std::map<std::string, Entry> usable;
    std::map<std::string, uint64_t> unusable;  // bytes
  };

  SnapshotFolder(SnapshotFolderOptions options, const Clock& clock, std::string key);
  std::filesystem::path path_of(const std::string& name) const { return options_.folder / name; }
  std::string name_of(const SnapshotHead& head) const;
  struct Front {
    SnapshotHead head;
    std::string front;
    uint64_t bytes = 0;
    uint64_t inode = 0;
    double used_at = 0;
  };
  Result<Front> open_front(const Descriptor& file, const std::filesystem::path& path) const;
  Result<Entry> read_entry(const std::string& name) const;
  Result<Loaded> load(const std::filesystem::path& path) const;
  void refuse(const std::string& name, const Error& error);
  void make_room(const SnapshotHead& head, uint64_t bytes);
  void remove_covered(const SnapshotHead& head, const std::string& by);
  void remove(const std::vector<std::string>& names) const;
  // The mutex is held.
  void forget(const std::string& name);
  uint64_t bytes_known() const;
  std::string first_to_go(const SnapshotHead& head) const;

  const SnapshotFolderOptions options_;
  const Clock& clock_;
  const std::string key_;
  std::mutex disk_mutex_;      // one at a time changes what is there; taken before the other
  mutable std::mutex mutex_;   // of what follows
  Contents contents_;
  std::set<std::string> told_;
};

}  // namespace tinyarms::engine
