// Where prefixes of prompts are kept across restarts, if the user wants that (prefix.disk_limit).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/paths.h"
#include "engine/snapshots/snapshot_keeper.h"
#include "service/settings.h"

namespace tinyarms::service {

// The folder, and the key that its files are sealed with, which lies elsewhere.
engine::SnapshotFolderOptions prefix_folder(const Settings& settings, const Paths& paths);

// Null where the settings want none, or where it cannot be had, which `on_notice` is told.
std::unique_ptr<engine::SnapshotKeeper> keep_prefixes(
    const Settings& settings, const Paths& paths, const Clock& clock,
    const std::function<void(const std::string&)>& on_notice);

}  // namespace tinyarms::service
