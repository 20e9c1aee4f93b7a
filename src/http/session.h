// One connection: reads a request, has it admitted and handled, writes the reply, and again. Lives
// on the one thread of its io_context; its Exchange may be used from any.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/request_reader.h"
#include "http/server.h"
#include "http/transport.h"

namespace tinyarms::http {

class Session;

// One thread of the server: its loop, its connections, its date.
struct Worker {
  boost::asio::io_context loop{1};
  std::optional<boost::asio::steady_timer> timer;
  std::list<std::shared_ptr<Session>> sessions;  // touched on its own thread only
  std::thread::id thread;
  std::string date;  // "Sat, 28 Nov 2026 05:00:00 GMT", of this second
};

// What all sessions share.
struct Common {
  Application& application;
  Limits limits;
  std::atomic<bool> draining{false};
  std::atomic<size_t> body_bytes{0};  // of requests being read, all together
  std::atomic<uint64_t> open{0}, total{0}, refused{0}, requests{0}, malformed{0}, timeouts{0},
      gone{0};
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  Session(std::unique_ptr<Transport> transport, Worker& worker, Common& common);
  ~Session();

  void start();

  // All of these on the worker's thread.
  void sweep(Moment now);     // closes what is too slow
  void drain();               // closes where idle, else after the reply at hand
  void abandon();             // raises the flag of the exchange and closes
  bool evictable() const;     // waiting for a head: may make room for a newcomer
  bool closed() const { return phase_ == Phase::Closed; }

 private:
  class Talk;  // the Exchange
  enum class Phase { Handshake, Head, Body, Handling, Lingering, Closed };

  void enter(Phase phase, double seconds);
  void next_request();
  void read();
  void on_read(boost::system::error_code failure, size_t bytes);
  void advance();
  bool on_head();
  void dispatch();
  void refuse(int status, const std::string& why);
  void answer(Response response, bool close_after);
  // `length` of the body, where it is known.
  std::string write_head(const Response& response, std::optional<size_t> length);
  void queue(std::string piece);
  void flush();
  void on_written(boost::system::error_code failure, size_t bytes);
  void finish_reply();
  void linger();
  void close();
  void release_body();

  // From the exchange of request number `turn`, on the worker's thread; too late, they do nothing.
  void reply(uint64_t turn, Response response);
  void stream_begin(uint64_t turn, Response response);
  void stream_piece(uint64_t turn, std::string piece);
  void stream_end(uint64_t turn);

  std::unique_ptr<Transport> transport_;
  Worker& worker_;
  Common& common_;
  std::list<std::shared_ptr<Session>>::iterator place_;
  std::unique_ptr<RequestReader> reader_;
  uint64_t turn_ = 0;                  // counts the requests of this connection
  std::shared_ptr<StopFlag> gone_;     // of the request at hand
  std::shared_ptr<std::atomic<size_t>> unsent_;
  std::vector<char> chunk_;     // what one read may bring
  std::string input_;           // read and not yet understood
  std::vector<std::string> out_;      // to be written
  std::vector<std::string> writing_;  // being written
  Phase phase_ = Phase::Handshake;
  Moment deadline_;
  Moment write_deadline_;
  size_t body_counted_ = 0;
  size_t stream_queued_ = 0;   // bytes of pieces in out_, and in writing_
  size_t stream_writing_ = 0;
  size_t lingered_ = 0;
  bool reading_ = false;
  bool write_under_way_ = false;
  bool close_after_ = false;
  bool head_only_ = false;   // of a HEAD request
  bool chunked_ = false;     // the reply at hand goes out in chunks
  bool reply_begun_ = false;
  bool reply_complete_ = false;
};

}  // namespace tinyarms::http
