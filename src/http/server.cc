#include "http/server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "http/session.h"

namespace tinyarms::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using Failure = boost::system::error_code;

constexpr auto kSweepEvery = std::chrono::milliseconds(200);

std::string date_now() {
  const time_t now = ::time(nullptr);
  struct tm parts {};
  ::gmtime_r(&now, &parts);
  char text[64];
  const size_t size = ::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return std::string(text, size);
}

Result<std::shared_ptr<asio::ssl::context>> load_tls(const ServerOptions& options) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  Failure failure;
  context->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1 |
                           asio::ssl::context::no_sslv3 | asio::ssl::context::single_dh_use,
                       failure);
  context->use_certificate_chain_file(options.tls_certificate.string(), failure);
  if (failure) {
    return Error{ErrorCode::Config, "cannot be used as a certificate: " + failure.message(),
                 options.tls_certificate.string(), "give a PEM file with the chain"};
  }
  context->use_private_key_file(options.tls_key.string(), asio::ssl::context::pem, failure);
  if (failure) {
    return Error{ErrorCode::Config, "cannot be used as the certificate's key: " +
                     failure.message(),
                 options.tls_key.string(), "give the PEM file of the key that belongs to it"};
  }
  return context;
}

// A Unix socket that is listened on; `own`: only to processes of this user.
struct LocalListener {
  LocalListener(asio::io_context& loop, std::string where, bool own_only)
      : acceptor(loop), path(std::move(where)), own(own_only) {}
  Local::acceptor acceptor;
  std::string path;
  bool own;
};

class AsioServer final : public Server {
 public:
  AsioServer(const ServerOptions& options, Application& application)
      : options_(options), common_{.application = application, .limits = options.limits} {
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    const int count = options.threads > 0 ? options.threads : std::max(cores, 1);
    for (int i = 0; i < count; ++i) workers_.push_back(std::make_unique<Worker>());
  }

  ~AsioServer() override {
    stop_listening();
    for (auto& worker : workers_) {
      asio::post(worker->loop, [&one = *worker] {
        for (auto at = one.sessions.begin(); at != one.sessions.end();) (*at++)->abandon();
        one.loop.stop();
      });
    }
    for (std::thread& thread : threads_) thread.join();
    // What was posted and never run holds sessions; they go before the loops they belong to.
    for (auto& worker : workers_) worker->sessions.clear();
    for (const auto& one : local_) ::unlink(one->path.c_str());
  }

  Result<void> listen() {
    if (!options_.tls_certificate.empty()) {
      auto context = load_tls(options_);
      if (!context) return context.error();
      tls_ = std::move(*context);
    }
    if (!options_.address.empty()) {
      if (auto bound = listen_tcp(); !bound) return bound.error();
    }
    for (const bool own : {false, true}) {
      const std::string path = (own ? options_.own_socket : options_.socket).string();
      if (path.empty()) continue;
      if (auto bound = listen_local(path, own); !bound) return bound.error();
    }
    run();
    return {};
  }

  uint16_t port() const override { return port_; }

  ServerCounts counts() const override {
    return {.connections_open = common_.open,
            .connections_total = common_.total,
            .connections_refused = common_.refused,
            .requests = common_.requests,
            .malformed = common_.malformed,
            .timeouts = common_.timeouts,
            .gone = common_.gone};
  }

  Result<void> reload_tls() override {
    if (options_.tls_certificate.empty()) return {};
    auto context = load_tls(options_);
    if (!context) return context.error();
    const std::lock_guard lock(tls_mutex_);
    tls_ = std::move(*context);
    return {};
  }

  void drain(double seconds) override {
    common_.draining = true;
    stop_listening();
    each_session([](Session& session) { session.drain(); });
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    std::unique_lock lock(idle_mutex_);
    idle_.wait_until(lock, std::chrono::time_point_cast<std::chrono::nanoseconds>(until),
                     [this] { return common_.open == 0; });
    lock.unlock();
    each_session([](Session& session) { session.abandon(); });
  }

 private:
  Result<void> listen_tcp() {
    Failure failure;
    const asio::ip::address address = asio::ip::make_address(options_.address, failure);
    if (failure) {
      return Error{ErrorCode::InvalidArgument, "is no numeric address", options_.address,
                   "give one such as 127.0.0.1 or ::1"};
    }
    const tcp::endpoint end(address, options_.port);
    tcp_.emplace(workers_[0]->loop);
    tcp_->open(end.protocol(), failure);
    if (!failure) tcp_->set_option(tcp::acceptor::reuse_address(true), failure);
    if (!failure) tcp_->bind(end, failure);
    if (!failure) tcp_->listen(1024, failure);
    if (failure) {
      return Error{ErrorCode::Io, "cannot listen: " + failure.message(),
                   fmt::format("{}:{}", options_.address, options_.port),
                   "another program may have the port: choose one with --port"};
    }
    port_ = tcp_->local_endpoint(failure).port();
    return {};
  }

  Result<void> listen_local(const std::string& path, bool own) {
    const auto refuse = [&](const std::string& why) {
      return Error{ErrorCode::Io, "cannot listen: " + why, path,
                   "its folder must be there and yours; a path may have 107 characters"};
    };
    if (path.size() > 107) return refuse("the path is too long");
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0) {
      if (!S_ISSOCK(status.st_mode)) return refuse("something that is no socket is there");
      // A socket that nobody answers on was left by a process that is gone.
      Failure answered;
      Local::socket probe(workers_[0]->loop);
      probe.connect(Local::endpoint(path), answered);
      if (!answered) return refuse("another server answers there");
      ::unlink(path.c_str());
    }
    Failure failure;
    auto listener = std::make_unique<LocalListener>(workers_[0]->loop, path, own);
    Local::acceptor& acceptor = listener->acceptor;
    acceptor.open(Local(), failure);
    // Nobody but its owner may connect, from the first moment on.
    const mode_t mask = ::umask(0177);
    if (!failure) acceptor.bind(Local::endpoint(path), failure);
    ::umask(mask);
    if (failure) return refuse(failure.message());
    local_.push_back(std::move(listener));
    acceptor.listen(1024, failure);
    if (failure) return refuse(failure.message());
    return {};
  }

  void run() {
    for (auto& worker : workers_) {
      worker->date = date_now();
      worker->timer.emplace(worker->loop);
      sweep_later(*worker);
    }
    if (tcp_) accept(*tcp_, [this](auto socket, Worker& worker) {
      take(std::move(socket), worker);
    });
    for (const auto& one : local_) {
      accept(one->acceptor, [this, own = one->own](auto socket, Worker& worker) {
        take(std::move(socket), worker, own);
      });
    }
    for (auto& worker : workers_) {
      threads_.emplace_back([&one = *worker] {
        one.thread = std::this_thread::get_id();
        one.loop.run();
      });
    }
  }

  void sweep_later(Worker& worker) {
    worker.timer->expires_after(kSweepEvery);
    worker.timer->async_wait([this, &worker](Failure failure) {
      if (failure) return;
      worker.date = date_now();
      const auto now = std::chrono::steady_clock::now();
      for (auto at = worker.sessions.begin(); at != worker.sessions.end();) (*at++)->sweep(now);
      if (common_.draining) {
        for (auto at = worker.sessions.begin(); at != worker.sessions.end();) (*at++)->drain();
        idle_.notify_all();
      }
      sweep_later(worker);
    });
  }

  template <typename Acceptor, typename Take>
  void accept(Acceptor& acceptor, Take take_socket) {
    Worker& worker = *workers_[next_++ % workers_.size()];
    auto socket = std::make_shared<typename Acceptor::protocol_type::socket>(worker.loop);
    acceptor.async_accept(*socket, [this, &acceptor, &worker, socket,
                                    take_socket](Failure failure) {
      if (!acceptor.is_open()) return;
      if (!failure) {
        take_socket(std::move(*socket), worker);
      } else if (failure != asio::error::connection_aborted) {
        // Out of descriptors, most likely: try again a little later, not at once.
        return accept_later(acceptor, take_socket);
      }
      accept(acceptor, take_socket);
    });
  }

  template <typename Acceptor, typename Take>
  void accept_later(Acceptor& acceptor, Take take_socket) {
    auto timer = std::make_shared<asio::steady_timer>(workers_[0]->loop, kSweepEvery);
    timer->async_wait([this, &acceptor, timer, take_socket](Failure failure) {
      if (!failure && acceptor.is_open()) accept(acceptor, take_socket);
    });
  }

  void take(tcp::socket socket, Worker& worker) {
    Failure ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::shared_ptr<asio::ssl::context> tls;
    {
      const std::lock_guard lock(tls_mutex_);
      tls = tls_;
    }
    begin(tls ? make_transport(std::move(socket), std::move(tls))
              : make_transport(std::move(socket)),
          worker);
  }

  void take(Local::socket socket, Worker& worker, bool own) {
    if (!own) return begin(make_transport(std::move(socket), false), worker);
    // The folder's mode keeps others out; the kernel's word is held against it all the same.
    struct ucred peer {};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
        peer.uid != ::geteuid()) {
      common_.refused.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    begin(make_transport(std::move(socket), true), worker);
  }

  void begin(std::unique_ptr<Transport> transport, Worker& worker) {
    asio::post(worker.loop, [this, &worker, held = std::move(transport)]() mutable {
      if (common_.open >= options_.limits.connections_max && !make_room(worker)) {
        common_.refused.fetch_add(1, std::memory_order_relaxed);
        held->close();
        return;
      }
      std::make_shared<Session>(std::move(held), worker, common_)->start();
    });
  }

  // The one that has waited longest for the head of a request makes room.
  bool make_room(Worker& worker) {
    for (const auto& session : worker.sessions) {
      if (!session->evictable()) continue;
      const auto held = session;
      held->abandon();
      return true;
    }
    return false;
  }

  template <typename Step>
  void each_session(Step step) {
    for (auto& worker : workers_) {
      asio::post(worker->loop, [&one = *worker, step] {
        for (auto at = one.sessions.begin(); at != one.sessions.end();) step(*(*at++));
      });
    }
  }

  void stop_listening() {
    std::mutex mutex;
    std::condition_variable done_signal;
    bool done = threads_.empty();
    const auto close = [&] {
      Failure ignored;
      if (tcp_) tcp_->close(ignored);
      for (const auto& one : local_) one->acceptor.close(ignored);
      const std::lock_guard lock(mutex);
      done = true;
      done_signal.notify_all();
    };
    if (done) return;
    asio::post(workers_[0]->loop, close);
    std::unique_lock lock(mutex);
    done_signal.wait(lock, [&] { return done; });
  }

  ServerOptions options_;
  Common common_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
  std::optional<tcp::acceptor> tcp_;
  std::vector<std::unique_ptr<LocalListener>> local_;
  std::mutex tls_mutex_;
  std::shared_ptr<asio::ssl::context> tls_;  // of new connections
  std::mutex idle_mutex_;
  std::condition_variable idle_;
  size_t next_ = 0;
  uint16_t port_ = 0;
};

}  // namespace

bool is_loopback(const std::string& address) {
  Failure failure;
  const asio::ip::address read = asio::ip::make_address(address, failure);
  return !failure && read.is_loopback();
}

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options,
                                              Application& application) {
  auto server = std::make_unique<AsioServer>(options, application);
  if (auto listening = server->listen(); !listening) return listening.error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace tinyarms::http
