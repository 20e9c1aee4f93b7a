// A server as a process of this machine: started on a free port, waited for, stopped when it goes.
#pragma once

#include <netinet/in.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tinyarms::bench {

sockaddr_in loopback_address(int port);

// A port that nobody listened on a moment ago.
int free_port();

class LocalServer {
 public:
  struct Options {
    std::vector<std::string> command;  // the program first, as a path or a name of PATH
    std::vector<std::pair<std::string, std::string>> environment;  // beside the process's own
    int port = 0;            // where the command makes it listen
    std::string ready_path;  // answers with 200 once it is ready
    std::string hint;        // how to get what is missing
  };
  // Returns when it is ready. Errors: Internal (it ended, or was not ready within a minute).
  static Result<std::unique_ptr<LocalServer>> start(const Options& options);
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  int port() const { return port_; }
  // Of it and its children, in bytes; what they share counts in each.
  uint64_t resident_bytes() const;
  // Processor time of its threads, and of its children's, that still are.
  double processor_seconds() const;

 private:
  LocalServer(pid_t process, int port) : process_(process), port_(port) {}
  std::vector<std::filesystem::path> processes() const;  // their folders in /proc

  pid_t process_;  // leads a group of its own
  int port_;
};

// As many open files as this process, and those that it starts, may have.
void raise_file_limit();

// One request on a connection of its own; every piece of what comes back goes to `on_bytes`. False
// where nobody listens.
bool exchange(int port, const std::string& request,
              const std::function<void(std::string_view)>& on_bytes);

}  // namespace tinyarms::bench
