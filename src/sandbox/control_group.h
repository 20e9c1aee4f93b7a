// A control group (cgroup v1 or v2) of one sandbox: a bound on memory and processes of everything
// in it, where this process may make one. Where it may not, the sandbox has its other limits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/descriptor.h"

namespace tinyarms::sandbox {

class ControlGroup {
 public:
  struct Bounds {
    int64_t memory_bytes = 0;
    int processes = 0;
  };
  // Never fails: where no group can be made, bounds() is empty.
  explicit ControlGroup(const Bounds& bounds);
  ~ControlGroup();  // removes the folders; all processes must have ended
  ControlGroup(const ControlGroup&) = delete;
  ControlGroup& operator=(const ControlGroup&) = delete;

  // "memory, processes"; empty where nothing is bounded.
  const std::string& bounds() const { return bounds_; }
  // A forked child writes "0" to each to enter. Valid as long as this lives.
  std::vector<int> entrances() const;
  // Whether the kernel killed something in it for want of memory.
  bool killed_for_memory() const;

 private:
  bool add(const std::string& folder, const char* limit_file, int64_t limit, const char* what);

  std::string bounds_;
  std::vector<std::string> folders_;
  std::vector<std::unique_ptr<Descriptor>> entrances_;
};

}  // namespace tinyarms::sandbox
