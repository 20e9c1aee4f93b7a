// Which process on this machine holds which models: each writes what its shelf holds, guests
// included, into a small file of its own, and whoever wants to see reads them all. A file whose
// process is gone is removed by who finds it.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "tiers/shelf_watcher.h"

namespace tinyarms::service {

// Where the files lie.
std::filesystem::path residency_folder(const std::filesystem::path& cache_dir);

std::string_view name_of(tiers::ModelKind kind);  // "language", "encoder", …

struct HeldModel {
  tiers::ShelvedModel model{};  // of kind Prefixes: without a file, `uses` is how many there are
  int pid = 0;
  std::string command{};  // what of tinyarms the process runs, e.g. "serve"; empty: unknown
  std::optional<uint64_t> process_bytes{};  // in physical memory, all of the process
  double since = 0;         // wall clock, when it was loaded
  double idle_seconds = 0;  // 0 while it is in use
  uint64_t uses = 0;
  bool in_use = false;

  std::string name() const;  // for people
};

// Of every process of this user that is alive, by process and then by age. Files that cannot be
// read, or are not what they should be, are passed over.
std::vector<HeldModel> held_models(const std::filesystem::path& folder, const Clock& clock);

// What was computed of prompts and is kept beside the models.
struct HeldPrefixes {
  size_t count = 0;
  uint64_t bytes = 0;
  bool operator==(const HeldPrefixes&) const = default;
};

// Writes the file. Where that fails, others see less and nothing else happens. Thread-safe.
class ResidencyFile final : public tiers::ShelfWatcher {
 public:
  // `prefixes`: asked whenever the file is written, on any thread; may be empty.
  ResidencyFile(std::filesystem::path folder, const Clock& clock,
                std::function<HeldPrefixes()> prefixes = {});
  ~ResidencyFile() override;  // and the file goes

  void loaded(uint64_t id, const tiers::ShelvedModel& model) override;
  void lent(uint64_t id) override;
  void given_back(uint64_t id) override;
  void used(uint64_t id) override;  // written once a second at most
  void put_away(uint64_t id) override;
  void swept() override;

 private:
  struct Entry {
    tiers::ShelvedModel model;
    double since = 0;
    double used_at = 0;  // wall clock
    uint64_t uses = 0;
    int users = 0;
  };
  static nlohmann::ordered_json entry_json(const Entry& entry);
  void write();  // the mutex is held

  const Clock& clock_;
  const std::function<HeldPrefixes()> prefixes_;
  std::filesystem::path file_;
  std::mutex mutex_;
  std::map<uint64_t, Entry> entries_;
  HeldPrefixes written_prefixes_;
  double written_at_ = 0;  // monotonic
};

}  // namespace tinyarms::service
