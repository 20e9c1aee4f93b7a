#include "service/prefix_folder.h"

namespace tinyarms::service {

engine::SnapshotFolderOptions prefix_folder(const Settings& settings, const Paths& paths) {
  return {.folder = paths.cache_dir / "prefixes",
          .key_file = paths.data_dir / "prefix-key",
          .bytes_max = settings.prefix.disk_bytes};
}

std::unique_ptr<engine::SnapshotKeeper> keep_prefixes(
    const Settings& settings, const Paths& paths, const Clock& clock,
    const std::function<void(const std::string&)>& on_notice) {
  if (settings.prefix.disk_bytes == 0) return nullptr;
  engine::SnapshotFolderOptions options = prefix_folder(settings, paths);
  options.on_notice = on_notice;
  auto folder = engine::SnapshotFolder::open(std::move(options), clock);
  if (folder) return std::make_unique<engine::SnapshotKeeper>(std::move(*folder), on_notice);
  if (on_notice) on_notice("prefixes are not kept on disk: " + folder.error().message());
  return nullptr;
}

}  // namespace tinyarms::service
