#include "http/local_client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/descriptor.h"

namespace tinyarms::http {
namespace {

using Moments = std::chrono::steady_clock;

constexpr int kWaitMilliseconds = 50;
constexpr size_t kWholeBodyMax = 1 << 20;
constexpr size_t kReplyMax = size_t{256} << 20;

class LocalConnection {
 public:
  LocalConnection(const LocalCall& call, const LocalEvents& events)
      : call_(call),
        events_(events),
        socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
        deadline_(Moments::now() + std::chrono::duration_cast<Moments::duration>(
                                       std::chrono::duration<double>(call.patience_seconds))) {}

  Result<LocalReply> run() {
    if (auto done = connect(); !done) return done.error();
    if (auto done = send(); !done) return done.error();
    return receive();
  }

 private:
  Error error(ErrorCode code, std::string what) const {
    return {code, std::move(what), call_.socket.string(), ""};
  }

  Result<void> connect() {
    const std::string path = call_.socket.string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
      return error(ErrorCode::NotFound, "is longer than the path of a socket may be");
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    if (socket_.get() < 0) return error(ErrorCode::Io, std::strerror(errno));
    const auto* const named = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(socket_.get(), named, sizeof address) != 0) {
      if (errno == ENOENT) return error(ErrorCode::NotFound, "there is no such socket");
      // Where nobody listens; or where so many wait already that nobody takes them.
      return error(ErrorCode::Unavailable, std::strerror(errno));
    }
    struct ucred peer {};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
      return error(ErrorCode::Io, std::strerror(errno));
    }
    if (peer.uid != ::geteuid()) {
      return error(ErrorCode::InvalidArgument, "another user listens there");
    }
    reply_.pid = peer.pid;
    return {};
  }

  Result<void> send() {
    std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
                                   call_.method, call_.path);
    if (!call_.body.empty()) {
      text += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n",
                          call_.body.size());
    }
    text += "\r\n" + call_.body;
    std::string_view rest = text;
    while (!rest.empty()) {
      const ssize_t sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        rest.remove_prefix(static_cast<size_t>(sent));
      } else if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
        return {};  // it has said why before it read everything, or nothing will come
      } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        return error(ErrorCode::Io, std::strerror(errno));
      } else if (auto ready = wait(POLLOUT, true); !ready) {
        return ready.error();
      }
    }
    return {};
  }

  // Until the socket may be read or written. `bounded`: within the call's patience.
  Result<void> wait(short what, bool bounded) {
    while (true) {
      pollfd one{socket_.get(), what, 0};
      const int ready = ::poll(&one, 1, kWaitMilliseconds);
      if (ready > 0) return {};
      if (ready < 0 && errno != EINTR) return error(ErrorCode::Io, std::strerror(errno));
      if (events_.waiting && !events_.waiting()) {
        return error(ErrorCode::Interrupted, "was given up");
      }
      if (bounded && Moments::now() > deadline_) {
        return error(ErrorCode::Unavailable,
                     fmt::format("no answer within {:.0f} s", call_.patience_seconds));
      }
    }
  }

  Result<LocalReply> receive() {
    namespace beast = boost::beast;
    beast::http::response_parser<beast::http::string_body> parser;
    parser.eager(true);
    parser.body_limit(kReplyMax);
    std::string input;
    std::array<char, 16384> block;
    while (!parser.is_done()) {
      const ssize_t got = ::recv(socket_.get(), block.data(), block.size(), 0);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        auto ready = wait(POLLIN, !parser.is_header_done());
        if (!ready) return ready.error();
        continue;
      }
      boost::system::error_code failure;
      if (got <= 0) {
        if (parser.got_some()) parser.put_eof(failure);
        if (!parser.got_some() || failure || !parser.is_done()) {
          return error(ErrorCode::Io, "it hung up before the reply was whole");
        }
      } else {
        input.append(block.data(), static_cast<size_t>(got));
        const size_t taken = parser.put(boost::asio::const_buffer(input.data(), input.size()),
                                        failure);
        input.erase(0, taken);
        if (failure && failure != beast::http::error::need_more) {
          return error(ErrorCode::Corrupt, "what answers is no HTTP: " + failure.message());
        }
      }
      if (!parser.is_header_done()) continue;
      reply_.status = parser.get().result_int();
      if (auto more = hand_out(parser.get().body()); !more) return more.error();
    }
    return std::move(reply_);
  }

  Result<void> hand_out(std::string& body) {
    if (reply_.status == 200 && events_.piece) {
      const bool more = body.empty() || events_.piece(body);
      if (!more) return error(ErrorCode::Interrupted, "was given up");
    } else {
      reply_.body += body;
      if (reply_.body.size() > kWholeBodyMax) return error(ErrorCode::Corrupt, "says too much");
    }
    body.clear();
    return {};
  }

  const LocalCall& call_;
  const LocalEvents& events_;
  Descriptor socket_;
  Moments::time_point deadline_;
  LocalReply reply_;
};

}  // namespace

Result<LocalReply> call_local(const LocalCall& call, const LocalEvents& events) {
  return LocalConnection(call, events).run();
}

}  // namespace tinyarms::http
