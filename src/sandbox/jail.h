// One live sandbox: bubblewrap around process 1 of warden/warden.py, and the channel to it.
//
// Inside: namespaces of its own for users, processes, network (none), IPC, host name and mounts; a
// read-only view of the system's programs and libraries; /tmp in memory, bounded in bytes and
// files; no environment, no home, no capabilities. Where the caller is root, it becomes a user
// without a name first. When the jail is destroyed, or its owner dies, everything in it is gone.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "sandbox/control_group.h"
#include "sandbox/limits.h"

namespace tinyarms::sandbox {

struct JailOptions {
  Limits limits = {};
  bool toolchains = false;  // all of /usr and a /proc of its own, as compilers need
};

class Jail {
 public:
  // Errors: Unsupported (no bubblewrap, no Python, no namespaces; says how to get them), Io.
  static Result<std::unique_ptr<Jail>> open(const JailOptions& options);
  ~Jail();
  Jail(const Jail&) = delete;
  Jail& operator=(const Jail&) = delete;

  using Message = std::vector<std::string>;
  // Nothing where the sandbox ended or did not answer in time; the jail is of no use then.
  std::optional<Message> exchange(const Message& request, double seconds_max);

  // What bounds it beside the limits every jail has: "memory, processes" or empty.
  const std::string& control_group() const { return group_.bounds(); }
  bool killed_for_memory() const { return group_.killed_for_memory(); }
  // Process 1, as the host numbers it.
  pid_t process() const { return inner_; }

 private:
  Jail(const JailOptions& options);
  Result<void> start(const JailOptions& options);
  std::optional<Message> receive(double seconds_max);
  std::string complaint();

  ControlGroup group_;
  std::unique_ptr<Descriptor> channel_;
  std::unique_ptr<Descriptor> complaints_;  // standard error of bubblewrap and process 1
  std::unique_ptr<Descriptor> info_;        // where bubblewrap says which process it started
  pid_t outer_ = -1;
  pid_t inner_ = -1;
};

// The interpreter that runs process 1 and all Python programs: "/usr/bin/python3".
Result<std::string> find_interpreter();

}  // namespace tinyarms::sandbox
