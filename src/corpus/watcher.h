// Tells that something changed in some folders (inotify). What changed, the next run finds out.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"
#include "base/stop_flag.h"

namespace tinyarms::corpus {

// One thread at a time.
class Watcher {
 public:
  // Errors: Io.
  static Result<std::unique_ptr<Watcher>> create();

  // Of a folder, not those below it; of a file, the file. True where it was not watched before; a
  // folder that is gone is passed over. Errors: OverBudget (the system's limit, with how to raise
  // it), Io.
  Result<bool> watch(const std::string& path);

  // Returns a moment after the last of a burst of changes, or once `stop` is raised. Errors: Io.
  Result<void> wait(const StopFlag& stop);

 private:
  explicit Watcher(int descriptor) : descriptor_(descriptor) {}
  Result<bool> read_events();

  Descriptor descriptor_;
  std::map<std::string, int> watched_;
};

}  // namespace tinyarms::corpus
