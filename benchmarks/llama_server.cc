#include "llama_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace tinyarms::bench {
namespace {

constexpr int kReadyTries = 600;  // a tenth of a second each

Error failed(std::string what) {
  return Error{ErrorCode::Internal, std::move(what), "llama-server", "./setup/install --peers"};
}

sockaddr_in local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = local(0);
  socklen_t size = sizeof(address);
  ::bind(probe, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(probe);
  return ntohs(address.sin_port);
}

// Sends, and hands every piece of what comes back to `on_bytes`. False where nobody listens.
template <typename OnBytes>
bool exchange(int port, const std::string& request, OnBytes on_bytes) {
  const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = local(port);
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

}  // namespace

Result<std::unique_ptr<LlamaServer>> LlamaServer::start(const Options& options) {
  if (!std::filesystem::exists(options.program)) {
    return Error{ErrorCode::NotFound, "is missing", options.program.string(),
                 "./setup/install --peers"};
  }
  const int port = free_port();
  const std::vector<std::string> words = {
      options.program.string(), "-m", options.file.string(), "--host", "127.0.0.1", "--port",
      std::to_string(port), "--threads", std::to_string(options.threads), "--parallel",
      std::to_string(options.parallel), "-c", std::to_string(options.context), "--no-webui"};
  std::vector<char*> command;
  for (const std::string& word : words) command.push_back(const_cast<char*>(word.c_str()));
  command.push_back(nullptr);
  const pid_t process = ::fork();
  if (process < 0) return failed("could not be started");
  if (process == 0) {
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (int descriptor : {0, 1, 2}) ::dup2(nowhere, descriptor);
    ::execv(command[0], command.data());
    ::_exit(127);
  }
  std::unique_ptr<LlamaServer> server(new LlamaServer(process, port));
  for (int i = 0; i < kReadyTries; ++i) {
    std::string answer;
    exchange(port, "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
             [&](std::string_view bytes) { answer += bytes; });
    if (answer.find(" 200 ") != std::string::npos) {
      return Result<std::unique_ptr<LlamaServer>>(std::move(server));
    }
    if (::waitpid(process, nullptr, WNOHANG) == process) {
      server->process_ = 0;  // gone: its number may be another's by now
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return failed("did not become ready");
}

LlamaServer::~LlamaServer() {
  if (process_ == 0) return;
  ::kill(process_, SIGTERM);
  ::waitpid(process_, nullptr, 0);
}

Result<Arrivals> LlamaServer::ask(const std::string& messages_json, int tokens) const {
  const std::string body = fmt::format(
      R"({{"messages":{},"max_tokens":{},"temperature":0,"stream":true,"ignore_eos":true}})",
      messages_json, tokens);
  const std::string request = fmt::format(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
  const auto start = std::chrono::steady_clock::now();
  Arrivals arrivals;
  std::string pending;
  const bool reached = exchange(port_, request, [&](std::string_view bytes) {
    pending += bytes;
    const double now =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (size_t end; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
      const std::string_view line = std::string_view(pending).substr(0, end);
      if (line.find("\"content\":\"") != std::string_view::npos) arrivals.push_back(now);
    }
  });
  if (!reached || arrivals.empty()) return failed("gave no answer");
  return arrivals;
}

}  // namespace tinyarms::bench
