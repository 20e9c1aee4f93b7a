#include "whole_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

namespace tinyarms::bench {
namespace {

// VmHWM of /proc/PID/status in bytes; 0 where the process is gone.
uint64_t resident_peak(pid_t process) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  std::string word;
  while (status >> word) {
    uint64_t kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

Result<ProcessUse> run_process(
    const std::filesystem::path& program, const std::vector<std::string>& arguments,
    const std::vector<std::pair<std::string, std::string>>& environment, bool watch_memory,
    int status_max) {
  std::vector<std::string> words = {program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> settings;
  for (const auto& [name, value] : environment) settings.push_back(name + "=" + value);
  std::vector<char*> argv;
  std::vector<char*> envp;
  for (std::string& word : words) argv.push_back(word.data());
  for (std::string& setting : settings) envp.push_back(setting.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  for (int stream = 0; stream < 3; ++stream) {
    posix_spawn_file_actions_addopen(&files, stream, "/dev/null", O_RDWR, 0);
  }
  const auto start = std::chrono::steady_clock::now();
  pid_t child = 0;
  const int problem =
      ::posix_spawn(&child, program.c_str(), &files, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&files);
  if (problem != 0) {
    return Error{ErrorCode::NotFound, "cannot be started", program.string(),
                 "build the target tinyarms first"};
  }
  int status = 0;
  uint64_t bytes_peak = 0;
  while (watch_memory && ::waitpid(child, &status, WNOHANG) == 0) {
    bytes_peak = std::max(bytes_peak, resident_peak(child));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (!watch_memory) ::waitpid(child, &status, 0);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (!WIFEXITED(status) || WEXITSTATUS(status) > status_max) {
    const int ended = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    return Error{ErrorCode::Internal, fmt::format("ended with status {}", ended),
                 fmt::format("{} {}", program.string(), fmt::join(arguments, " ")),
                 "run it by hand to see why"};
  }
  return ProcessUse{took.count(), bytes_peak};
}

}  // namespace tinyarms::bench
