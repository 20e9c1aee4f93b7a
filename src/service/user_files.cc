#include "service/user_files.h"

namespace tinyarms::service {

std::filesystem::path intent_head_path(const Paths& paths) {
  return paths.data_dir / "intent" / "head.json";
}

}  // namespace tinyarms::service
