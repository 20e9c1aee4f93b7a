#include "http_load.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <deque>
#include <iterator>
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
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

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

// The load as it is under way.
class Run {
 public:
  explicit Run(const Load& load)
      : load_(load),
        pause_(static_cast<int64_t>(load.pause_seconds * 1e9)),
        queue_(::epoll_create1(EPOLL_CLOEXEC)) {}
  ~Run() { ::close(queue_); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  Result<LoadResult> all() {
    const auto start = SteadyClock::now();
    for (int i = 0; i < std::min(load_.connections, load_.requests); ++i) {
      connections_.emplace_back(load_.port);
      epoll_event wanted{.events = EPOLLIN, .data = {.u64 = static_cast<uint64_t>(i)}};
      ::epoll_ctl(queue_, EPOLL_CTL_ADD, connections_.back().socket(), &wanted);
      waits_.push_back(false);
      resting_.push_back(static_cast<size_t>(i));
      // Spread over the pause: clients are not in step.
      due_.push_back(start + pause_ * i / load_.connections);
    }
    if (auto begun = wake(); !begun) return begun.error();
    while (done_ < load_.requests) {
      if (auto gone_on = wait(); !gone_on) return gone_on.error();
    }
    result_.seconds = seconds_since(start);
    return std::move(result_);
  }

 private:
  Error failed(std::string what) const {
    return {ErrorCode::Internal, std::move(what), fmt::format("127.0.0.1:{}", load_.port),
            "ask it by hand to see why"};
  }

  Result<void> send(size_t i) {
    ++begun_;
    due_[i] += pause_;
    if (!connections_[i].send(load_.request)) return failed("takes no request");
    waits_[i] = true;
    return {};
  }

  Result<void> wait() {
    const int timeout_ms = resting_.empty() ? kSilenceMs : 1;
    epoll_event events[64];
    const int ready = ::epoll_wait(queue_, events, std::size(events), timeout_ms);
    if (ready <= 0 && resting_.empty()) return failed("is silent");
    for (int event = 0; event < ready; ++event) {
      const auto i = static_cast<size_t>(events[event].data.u64);
      if (waits_[i]) {
        if (auto taken = take(i); !taken) return taken;
      } else {  // closed while it rested: found out where it is used again
        ::epoll_ctl(queue_, EPOLL_CTL_DEL, connections_[i].socket(), nullptr);
      }
    }
    return wake();
  }

  Result<void> take(size_t i) {
    Connection& connection = connections_[i];
    if (!connection.receive(load_.stamp, result_.frame_delays)) {
      return failed("closed the connection: " + connection.reply().substr(0, 300));
    }
    if (!connection.complete()) return {};
    if (connection.ok()) {
      result_.latencies.push_back(connection.seconds());
    } else if (load_.may_refuse && connection.reply().starts_with("HTTP/1.1 429")) {
      result_.refusals.push_back(connection.seconds());
      const std::string& reply = connection.reply();
      const bool told = reply.find("etry-") < reply.find("\r\n\r\n");
      result_.without_retry_after += told ? 0 : 1;
    } else {
      return failed("said: " + connection.reply().substr(0, 300));
    }
    ++done_;
    waits_[i] = false;
    resting_.push_back(i);
    return {};
  }

  // Sends again on connections that have rested.
  Result<void> wake() {
    std::vector<size_t> still;
    for (const size_t i : resting_) {
      if (begun_ >= load_.requests) break;
      if (SteadyClock::now() < due_[i]) {
        still.push_back(i);
      } else if (auto sent = send(i); !sent) {
        return sent;
      }
    }
    resting_ = std::move(still);
    return {};
  }

  const Load& load_;
  std::chrono::nanoseconds pause_;
  std::vector<SteadyClock::time_point> due_;  // when each connection sends next, at the earliest
  std::deque<Connection> connections_;
  int queue_;
  std::vector<bool> waits_;  // each connection, for a reply
  std::vector<size_t> resting_;
  int begun_ = 0;
  int done_ = 0;
  LoadResult result_;
};

}  // namespace

std::string post_request(const std::string& path, const std::string& headers,
                         const std::string& body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{}"
      "Content-Length: {}\r\n\r\n{}",
      path, headers, body.size(), body);
}

Result<LoadResult> run_load(const Load& load) { return Run(load).all(); }

}  // namespace tinyarms::bench
