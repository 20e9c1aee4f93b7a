// One accepted connection as bytes: TCP, TLS over it, or a Unix socket. All calls and callbacks on
// the thread of its io_context; at most one read and one write at a time.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tinyarms::http {

class Transport {
 public:
  using Failure = boost::system::error_code;
  using Done = std::function<void(Failure, size_t)>;
  using Buffers = std::vector<boost::asio::const_buffer>;

  virtual ~Transport() = default;
  virtual void handshake(std::function<void(Failure)> done) = 0;  // TLS; else done at once
  virtual void read_some(boost::asio::mutable_buffer into, Done done) = 0;
  virtual void write(const Buffers& buffers, Done done) = 0;  // all of it
  virtual void shut_down_sending() = 0;
  virtual void close() = 0;
  virtual std::string peer() const = 0;
  virtual bool local_socket() const = 0;
  virtual bool own_user() const = 0;
  virtual bool encrypted() const = 0;
};

std::unique_ptr<Transport> make_transport(boost::asio::ip::tcp::socket socket);
// `own_user`: its peer was found to be a process of this user.
std::unique_ptr<Transport> make_transport(boost::asio::local::stream_protocol::socket socket,
                                          bool own_user);
// Keeps `context` as long as the connection lives: a reload leaves open connections alone.
std::unique_ptr<Transport> make_transport(boost::asio::ip::tcp::socket socket,
                                          std::shared_ptr<boost::asio::ssl::context> context);

}  // namespace tinyarms::http
