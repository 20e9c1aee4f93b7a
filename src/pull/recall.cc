#include "pull/recall.h"

#include <algorithm>

#include "base/sha256.h"
#include "catalog/previous_version.h"

namespace tinyarms::pull {
namespace {

using catalog::DownloadRecord;
using catalog::InstalledModel;

// Those in use first.
std::vector<InstalledModel> all_versions(const catalog::ModelStore& store) {
  std::vector<InstalledModel> all;
  for (const auto& folder : {store, catalog::previous_versions(store)}) {
    auto models = folder.list();
    if (!models) continue;
    for (InstalledModel& model : *models) all.push_back(std::move(model));
  }
  return all;
}

template <typename Wanted>
std::optional<InstalledModel> recall_if(const catalog::ModelStore& store, const Wanted& wanted) {
  for (InstalledModel& model : all_versions(store)) {
    if (model.sha256.empty() || !model.problem.empty() || !wanted(model)) continue;
    const auto hash = sha256_file(model.path);
    if (hash && *hash == model.sha256) return std::move(model);
  }
  return std::nullopt;
}

}  // namespace

std::string recall_hash(const catalog::ModelStore& store, const DownloadRecord& asked) {
  if (asked.etag.empty() || asked.etag.starts_with("W/") || asked.bytes == 0) return "";
  for (const InstalledModel& model : all_versions(store)) {
    for (const DownloadRecord& record : model.downloads) {
      if (record.url == asked.url && record.etag == asked.etag && record.bytes == asked.bytes) {
        return record.sha256;
      }
    }
  }
  return "";
}

std::optional<InstalledModel> recall_file(const catalog::ModelStore& store,
                                          const std::string& sha256) {
  if (sha256.empty()) return std::nullopt;
  return recall_if(store, [&](const InstalledModel& model) { return model.sha256 == sha256; });
}

bool joined_from(const InstalledModel& model, const std::vector<std::string>& hashes) {
  std::vector<std::string> parts;
  for (const DownloadRecord& record : model.downloads) {
    if (record.sha256 != model.sha256) parts.push_back(record.sha256);
  }
  return hashes.size() > 1 && parts.size() == hashes.size() &&
         std::is_permutation(parts.begin(), parts.end(), hashes.begin());
}

std::optional<InstalledModel> recall_joined(const catalog::ModelStore& store,
                                            const std::vector<std::string>& hashes) {
  return recall_if(store,
                   [&](const InstalledModel& model) { return joined_from(model, hashes); });
}

}  // namespace tinyarms::pull
