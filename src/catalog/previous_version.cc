#include "catalog/previous_version.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/sha256.h"
#include "catalog/copy_file.h"

namespace tinyarms::catalog {
namespace {

namespace fs = std::filesystem;

fs::path model_file(const ModelStore& store, std::string_view name) {
  return store.folder() / fmt::format("{}.gguf", name);
}

// What is known of the model, now that its file is `path`.
Result<void> move_facts(InstalledModel model, const fs::path& path) {
  model.path = path;
  if (!model.sha256.empty()) return write_sidecar(model);
  std::error_code ignored;
  fs::remove(sidecar_of(path), ignored);
  return {};
}

Result<InstalledModel> kept_as(const ModelStore& store, std::string_view name) {
  auto kept = previous_versions(store).list();
  if (!kept) return kept.error();
  // Only what the folder lists, so that no spelling reaches outside it.
  for (InstalledModel& model : *kept) {
    if (model.name == name) return std::move(model);
  }
  return Error{ErrorCode::NotFound, fmt::format("no earlier version of \"{}\" is kept", name), "",
               "pull keeps one when it brings a newer version of an installed model"};
}

Error not_exchanged(const fs::path& path) {
  return Error{ErrorCode::Io, std::strerror(errno), path.string(),
               errno == EINVAL || errno == ENOSYS
                   ? "this file system cannot exchange two files: import the kept one under "
                     "another name (tinyarms models import)"
                   : "check the permissions of the folder"};
}

}  // namespace

ModelStore previous_versions(const ModelStore& store) {
  return ModelStore(store.folder() / ".previous");
}

Result<void> keep_previous(const ModelStore& store, const std::string& name) {
  const fs::path now = model_file(store, name);
  const ModelStore kept = previous_versions(store);
  const fs::path to = model_file(kept, name);
  std::error_code problem;
  fs::create_directories(kept.folder(), problem);
  if (problem) {
    return Error{ErrorCode::Io, problem.message(), kept.folder().string(),
                 "make it writable, or name another data folder"};
  }
  sweep_unfinished(kept.folder());
  // The same file already where a call was killed after this step.
  if (!fs::equivalent(now, to, problem)) {
    PendingFile pending(to);
    const bool linked =
        !fs::is_symlink(now, problem) && ::link(now.c_str(), pending.path().c_str()) == 0;
    if (!linked) {
      auto copied = copy_file({.source = now, .destination = pending.path()});
      if (!copied) return copied;
    }
    if (auto placed = pending.commit(); !placed) return placed;
  }
  return move_facts(describe_model(now), to);
}

Result<InstalledModel> roll_back(const ModelStore& store, std::string_view name) {
  auto kept = kept_as(store, name);
  if (!kept) return kept.error();
  auto hash = sha256_file(kept->path);
  if (!hash) return hash.error();
  if (!kept->problem.empty() || (!kept->sha256.empty() && *hash != kept->sha256)) {
    return Error{ErrorCode::Corrupt,
                 kept->problem.empty() ? "its bytes are not those that were kept" : kept->problem,
                 kept->path.string(), fmt::format("remove it: tinyarms models prune {}", name)};
  }
  kept->sha256 = *hash;
  const fs::path path = model_file(store, name);
  const fs::path earlier = kept->path;
  std::error_code problem;
  if (!fs::exists(fs::symlink_status(path, problem))) {
    if (::rename(earlier.c_str(), path.c_str()) != 0) return not_exchanged(path);
    fs::remove(sidecar_of(earlier), problem);
  } else {
    InstalledModel now = describe_model(path);
    if (::renameat2(AT_FDCWD, earlier.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) != 0) {
      return not_exchanged(path);
    }
    if (auto moved = move_facts(std::move(now), earlier); !moved) return moved.error();
  }
  if (auto moved = move_facts(std::move(*kept), path); !moved) return moved.error();
  return describe_model(path);
}

Result<std::vector<InstalledModel>> prune_previous(const ModelStore& store,
                                                   const std::vector<std::string>& names) {
  const ModelStore folder = previous_versions(store);
  std::vector<InstalledModel> pruned;
  if (names.empty()) {
    auto all = folder.list();
    if (!all) return all.error();
    pruned = std::move(*all);
  }
  for (const std::string& name : names) {
    auto kept = kept_as(store, name);
    if (!kept) return kept.error();
    const auto same = [&](const InstalledModel& model) { return model.name == name; };
    if (std::none_of(pruned.begin(), pruned.end(), same)) pruned.push_back(std::move(*kept));
  }
  for (const InstalledModel& model : pruned) {
    if (auto removed = folder.remove(model.name); !removed) return removed.error();
  }
  return pruned;
}

}  // namespace tinyarms::catalog
