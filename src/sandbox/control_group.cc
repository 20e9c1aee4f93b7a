#include "sandbox/control_group.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>

namespace tinyarms::sandbox {
namespace {

// Where this process is in each hierarchy: "" is the unified one (v2).
std::string own_group(std::string_view controller) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    if (line.substr(first + 1, second - first - 1) == controller) return line.substr(second + 1);
  }
  return {};
}

bool write_text(const std::string& path, const std::string& text) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file.get() >= 0 &&
         ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string unique_name() {
  static std::atomic<int> count{0};
  return fmt::format("tinyarms-{}-{}", ::getpid(), count.fetch_add(1));
}

std::string joined(std::string root, const std::string& group, const std::string& name) {
  if (group != "/") root += group;
  return root + "/" + name;
}

}  // namespace

ControlGroup::ControlGroup(const Bounds& bounds) {
  const std::string name = unique_name();
  const std::string unified = joined("/sys/fs/cgroup", own_group(""), name);
  if (::access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0) {
    add(unified, "memory.max", bounds.memory_bytes, "memory");
    if (!folders_.empty() && write_text(unified + "/pids.max", fmt::to_string(bounds.processes))) {
      bounds_ += ", processes";
    }
    return;
  }
  for (const auto& [controller, file, limit] :
       {std::tuple{"memory", "memory.limit_in_bytes", bounds.memory_bytes},
        std::tuple{"pids", "pids.max", static_cast<int64_t>(bounds.processes)}}) {
    const std::string root = std::string("/sys/fs/cgroup/") + controller;
    add(joined(root, own_group(controller), name), file, limit,
        std::string_view(controller) == "pids" ? "processes" : controller);
  }
}

ControlGroup::~ControlGroup() {
  entrances_.clear();
  // The kernel needs a moment between the end of the last process and an empty group.
  for (const std::string& folder : folders_) {
    for (int tries = 0; ::rmdir(folder.c_str()) != 0 && errno == EBUSY && tries < 200; ++tries) {
      ::usleep(1000);
    }
  }
}

std::vector<int> ControlGroup::entrances() const {
  std::vector<int> descriptors;
  for (const auto& entrance : entrances_) descriptors.push_back(entrance->get());
  return descriptors;
}

bool ControlGroup::killed_for_memory() const {
  for (const std::string& folder : folders_) {
    for (const char* file : {"/memory.events", "/memory.oom_control"}) {
      std::ifstream events(folder + file);
      for (std::string line; std::getline(events, line);) {
        if (line.rfind("oom_kill ", 0) == 0 && line != "oom_kill 0") return true;
      }
    }
  }
  return false;
}

bool ControlGroup::add(const std::string& folder, const char* limit_file, int64_t limit,
                       const char* what) {
  if (::mkdir(folder.c_str(), 0755) != 0) return false;
  auto entrance = std::make_unique<Descriptor>(
      ::open((folder + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  if (entrance->get() < 0 || !write_text(folder + "/" + limit_file, fmt::to_string(limit))) {
    ::rmdir(folder.c_str());
    return false;
  }
  folders_.push_back(folder);
  entrances_.push_back(std::move(entrance));
  bounds_ += (bounds_.empty() ? "" : ", ") + std::string(what);
  return true;
}

}  // namespace tinyarms::sandbox
