#include "http/transport.h"

#include <fmt/format.h>

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace tinyarms::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using LocalStream = asio::local::stream_protocol;

std::string name_of(const tcp::socket& socket) {
  boost::system::error_code failure;
  const tcp::endpoint end = socket.remote_endpoint(failure);
  if (failure) return "";
  return fmt::format("{}:{}", end.address().to_string(), end.port());
}

template <typename Socket>
class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(Socket socket, bool own_user = false)
      : socket_(std::move(socket)), own_user_(own_user) {}

  void handshake(std::function<void(Failure)> done) override { done({}); }
  void read_some(asio::mutable_buffer into, Done done) override {
    socket_.async_read_some(asio::buffer(into), std::move(done));
  }
  void write(const Buffers& buffers, Done done) override {
    asio::async_write(socket_, buffers, std::move(done));
  }
  void shut_down_sending() override {
    Failure ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
  void close() override {
    Failure ignored;
    socket_.close(ignored);
  }
  std::string peer() const override {
    if constexpr (std::is_same_v<Socket, tcp::socket>) return name_of(socket_);
    return "unix";
  }
  bool local_socket() const override { return !std::is_same_v<Socket, tcp::socket>; }
  bool own_user() const override { return own_user_; }
  bool encrypted() const override { return false; }

 private:
  Socket socket_;
  bool own_user_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  void handshake(std::function<void(Failure)> done) override {
    stream_.async_handshake(asio::ssl::stream_base::server, std::move(done));
  }
  void read_some(asio::mutable_buffer into, Done done) override {
    stream_.async_read_some(asio::buffer(into), std::move(done));
  }
  void write(const Buffers& buffers, Done done) override {
    asio::async_write(stream_, buffers, std::move(done));
  }
  // Without TLS's own goodbye: every reply says its length, so none can be cut unnoticed.
  void shut_down_sending() override {
    Failure ignored;
    stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
  }
  void close() override {
    Failure ignored;
    stream_.next_layer().close(ignored);
  }
  std::string peer() const override { return name_of(stream_.next_layer()); }
  bool local_socket() const override { return false; }
  bool own_user() const override { return false; }
  bool encrypted() const override { return true; }

 private:
  std::shared_ptr<asio::ssl::context> context_;
  asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<Transport> make_transport(tcp::socket socket) {
  return std::make_unique<PlainTransport<tcp::socket>>(std::move(socket));
}

std::unique_ptr<Transport> make_transport(LocalStream::socket socket, bool own_user) {
  return std::make_unique<PlainTransport<LocalStream::socket>>(std::move(socket), own_user);
}

std::unique_ptr<Transport> make_transport(tcp::socket socket,
                                          std::shared_ptr<asio::ssl::context> context) {
  return std::make_unique<TlsTransport>(std::move(socket), std::move(context));
}

}  // namespace tinyarms::http
