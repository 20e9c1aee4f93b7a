#include "http_load.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <utility>

#include "local_server.h"

namespace tinyarms::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kSilenceMs = 60'000;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// One connection and the reply it waits for.
class Connection {
 public:
  explicit Connection(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback_address(port);
    open_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  ~Connection() { ::close(socket_); }
  Connection(Connection&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), open_(other.open_) {}
  Connection& operator=(Connection&&) = delete;

  bool send(const std::string& request) {
    reply_.clear();
    read_to_ = 0;
    start_ = SteadyClock::now();
    return open_ && ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) ==
                        static_cast<ssize_t>(request.size());
  }

  // Takes what has come. False where the connection is gone.
  bool receive(const std::string& stamp, std::vector<double>& delays) {
    char buffer[65536];
    const ssize_t length = ::recv(socket_, buffer, sizeof(buffer), 0);
    if (length <= 0) return false;
    reply_.append(buffer, static_cast<size_t>(length));
    if (!stamp.empty()) note_stamps(stamp, delays);
    return true;
  }

  bool complete() const {
    const size_t head = reply_.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    std::string lines = reply_.substr(0, head + 2);
    std::transform(lines.begin(), lines.end(), lines.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    constexpr std::string_view kLength = "\r\ncontent-length:";
    const size_t at = lines.find(kLength);
    if (at == std::string::npos) return reply_.ends_with("\r\n0\r\n\r\n");
    const size_t digits = lines.find_first_not_of(' ', at + kLength.size());
    size_t length = 0;
    std::from_chars(lines.data() + digits, lines.data() + lines.size(), length);
    return reply_.size() >= head + 4 + length;
  }

  bool ok() const { return reply_.starts_with("HTTP/1.1 200"); }
  const std::string& reply() const { return reply_; }
  double seconds() const { return seconds_since(start_); }
  int socket() const { return socket_; }

 private:
  void note_stamps(const std::string& stamp, std::vector<double>& delays) {
    const int64_t now = SteadyClock::now().time_since_epoch().count();
    for (size_t at; (at = reply_.find(stamp, read_to_)) != std::string::npos;) {
      const size_t digits = at + stamp.size();
      const size_t end = reply_.find_first_not_of("0123456789", digits);
      if (end == std::string::npos) return;
      int64_t sent = 0;
      std::from_chars(reply_.data() + digits, reply_.data() + end, sent);
      delays.push_back(static_cast<double>(now - sent) * 1e-9);
      read_to_ = end;
    }
  }

  int socket_;
  bool open_ = false;
  std::string reply_;
  size_t read_to_ = 0;  // where the next stamp is looked for
  SteadyClock::time_point start_;
};

Error failed(const Load& load, std::string what) {
  return {ErrorCode::Internal, std::move(what), fmt::format("127.0.0.1:{}", load.port),
          "ask it by hand to see why"};
}

}  // namespace

std::string post_request(const std::string& path, const std::string& headers,
                         const std::string& body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{}"
      "Content-Length: {}\r\n\r\n{}",
      path, headers, body.size(), body);
}

Result<LoadResult> run_load(const Load& load) {
  std::vector<Connection> connections;
  std::vector<pollfd> waiting;
  int begun = 0;
  LoadResult result;
  const auto start = SteadyClock::now();
  for (int i = 0; i < std::min(load.connections, load.requests); ++i, ++begun) {
    connections.emplace_back(load.port);
    if (!connections.back().send(load.request)) return failed(load, "takes no request");
    waiting.push_back({connections.back().socket(), POLLIN, 0});
  }
  while (result.latencies.size() < static_cast<size_t>(load.requests)) {
    if (::poll(waiting.data(), waiting.size(), kSilenceMs) <= 0) return failed(load, "is silent");
    for (size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      Connection& connection = connections[i];
      if (!connection.receive(load.stamp, result.frame_delays)) {
        return failed(load, "closed the connection: " + connection.reply().substr(0, 300));
      }
      if (!connection.complete()) continue;
      if (!connection.ok()) return failed(load, "said: " + connection.reply().substr(0, 300));
      result.latencies.push_back(connection.seconds());
      if (begun == load.requests) {
        waiting[i].fd = -1;  // poll leaves it out
      } else if (++begun; !connection.send(load.request)) {
        return failed(load, "takes no further request");
      }
    }
  }
  result.seconds = seconds_since(start);
  return result;
}

}  // namespace tinyarms::bench
