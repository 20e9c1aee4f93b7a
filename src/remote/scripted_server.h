// For tests: an HTTP server on the loopback interface that answers each connection with the next of
// its scripted replies, byte for byte, and keeps what it was sent. A connection is closed after its
// reply, but for one that begins with "<keep>": the next reply goes out on it too.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tinyarms::remote::testing {

class ScriptedServer {
 public:
  // "<hang>" as a reply: the connection stays open, silent, until the server ends.
  explicit ScriptedServer(std::vector<std::string> replies) : replies_(std::move(replies)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 8) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    for (const int connection : open_) ::close(connection);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  size_t connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

 private:
  int accept() {
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    ++connections_;
    return connection;
  }

  void serve() {
    int kept = -1;
    for (std::string reply : replies_) {
      const int connection = kept >= 0 ? std::exchange(kept, -1) : accept();
      if (connection < 0) return;
      read_request(connection);
      if (reply == "<hang>") {
        open_.push_back(connection);
        continue;
      }
      const bool keep = reply.starts_with("<keep>");
      if (keep) reply.erase(0, 6);
      size_t sent = 0;
      while (sent < reply.size()) {
        const ssize_t count =
            ::send(connection, reply.data() + sent, reply.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) break;
        sent += static_cast<size_t>(count);
      }
      if (keep) {
        kept = connection;
      } else {
        ::close(connection);
      }
    }
    if (kept >= 0) open_.push_back(kept);
  }

  void read_request(int connection) {
    std::string text;
    size_t wanted = std::string::npos;
    char buffer[4096];
    while (text.size() < wanted) {
      const ssize_t count = ::recv(connection, buffer, sizeof buffer, 0);
      if (count <= 0) break;
      text.append(buffer, static_cast<size_t>(count));
      const size_t head = text.find("\r\n\r\n");
      const size_t length = text.find("Content-Length: ");
      if (head == std::string::npos) continue;
      if (text.compare(0, 4, "GET ") == 0) break;
      if (length == std::string::npos) continue;
      wanted = head + 4 + std::strtoull(text.c_str() + length + 16, nullptr, 10);
    }
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(text));
  }

  std::vector<std::string> replies_;
  std::vector<std::string> requests_;
  std::vector<int> open_;
  size_t connections_ = 0;
  mutable std::mutex mutex_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

inline std::string http_reply(int status, const std::string& type, const std::string& body,
                              const std::string& more_headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + type + "\r\n" +
         more_headers + "Connection: close\r\n\r\n" + body;
}

inline std::string event(const std::string& data) { return "data: " + data + "\n\n"; }

}  // namespace tinyarms::remote::testing
