#include "local_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace tinyarms::bench {
namespace {

constexpr int kReadyTries = 600;  // a tenth of a second each

// Becomes the command; never returns.
[[noreturn]] void become(const LocalServer::Options& options) {
  ::setpgid(0, 0);
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (const int descriptor : {0, 1, 2}) ::dup2(nowhere, descriptor);
  for (const auto& [name, value] : options.environment) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  std::vector<char*> words;
  for (const std::string& word : options.command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  ::_exit(127);
}

bool answers(int port, const std::string& path) {
  std::string answer;
  exchange(port, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
           [&](std::string_view bytes) { answer += bytes; });
  return answer.find(" 200 ") < 16;
}

}  // namespace

sockaddr_in loopback_address(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback_address(0);
  socklen_t size = sizeof(address);
  ::bind(probe, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(probe);
  return ntohs(address.sin_port);
}

void raise_file_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

bool exchange(int port, const std::string& request,
              const std::function<void(std::string_view)>& on_bytes) {
  const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback_address(port);
  bool done = ::connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
              ::send(connection, request.data(), request.size(), MSG_NOSIGNAL) ==
                  static_cast<ssize_t>(request.size());
  char buffer[16384];
  while (done) {
    const ssize_t length = ::recv(connection, buffer, sizeof(buffer), 0);
    if (length <= 0) break;
    on_bytes(std::string_view(buffer, static_cast<size_t>(length)));
  }
  ::close(connection);
  return done;
}

Result<std::unique_ptr<LocalServer>> LocalServer::start(const Options& options) {
  const auto failed = [&](std::string what) {
    return Error{ErrorCode::Internal, std::move(what), options.command.front(), options.hint};
  };
  const pid_t process = ::fork();
  if (process < 0) return failed("could not be started");
  if (process == 0) become(options);
  ::setpgid(process, process);  // here too: whoever of the two is first
  std::unique_ptr<LocalServer> server(new LocalServer(process, options.port));
  for (int i = 0; i < kReadyTries; ++i) {
    if (answers(options.port, options.ready_path)) {
      return Result<std::unique_ptr<LocalServer>>(std::move(server));
    }
    if (::waitpid(process, nullptr, WNOHANG) == process) {
      server->process_ = 0;  // gone: its number may be another's by now
      return failed("ended before it was ready");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return failed("did not become ready");
}

LocalServer::~LocalServer() {
  if (process_ == 0) return;
  ::kill(-process_, SIGTERM);
  for (int i = 0; i < 50; ++i) {
    if (::waitpid(process_, nullptr, WNOHANG) == process_) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  ::kill(-process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

std::vector<std::filesystem::path> LocalServer::processes() const {
  std::vector<std::filesystem::path> folders;
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", problem)) {
    const pid_t one = std::atoi(entry.path().filename().c_str());
    if (one > 0 && ::getpgid(one) == process_) folders.push_back(entry.path());
  }
  return folders;
}

double LocalServer::processor_seconds() const {
  double nanoseconds = 0;
  std::error_code problem;
  for (const auto& folder : processes()) {
    for (const auto& thread : std::filesystem::directory_iterator(folder / "task", problem)) {
      std::ifstream file(thread.path() / "schedstat");
      double ran = 0;
      if (file >> ran) nanoseconds += ran;
    }
  }
  return nanoseconds / 1e9;
}

uint64_t LocalServer::resident_bytes() const {
  uint64_t kilobytes = 0;
  for (const auto& folder : processes()) {
    std::ifstream status(folder / "status");
    std::string word;
    uint64_t resident = 0;
    while (status >> word) {
      if (word == "VmRSS:" && status >> resident) kilobytes += resident;
    }
  }
  return kilobytes * 1024;
}

}  // namespace tinyarms::bench
