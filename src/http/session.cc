#include "http/session.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>

namespace tinyarms::http {
namespace {

using Failure = boost::system::error_code;

constexpr size_t kReadBytes = 8 << 10;
constexpr size_t kPipelineBytesMax = 64 << 10;  // read ahead while a request is handled
constexpr size_t kLingerBytesMax = 1 << 20;
constexpr double kLingerSeconds = 1;
constexpr size_t kBodiesBytesMax = size_t{512} << 20;  // of all connections together

std::chrono::steady_clock::duration duration(double seconds) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(seconds));
}

}  // namespace

// The handle that the application holds. It may outlive the request and the connection: what comes
// late finds another turn, or no session, and does nothing.
class Session::Talk final : public Exchange {
 public:
  Talk(const std::shared_ptr<Session>& session, Worker& worker, Request request)
      : session_(session), worker_(worker), turn_(session->turn_), unsent_(session->unsent_),
        unsent_max_(session->common_.limits.unsent_bytes_max) {
    request_ = std::move(request);
    gone_ = session->gone_;
  }
  ~Talk() override {
    if (!used_) {
      send({500, "application/json",
            R"({"error":{"message":"no reply was made","type":"server_error",)"
            R"("param":null,"code":null}})"});
    }
  }

  void send(Response response) override {
    used_ = true;
    run([turn = turn_, held = std::move(response)](Session& session) mutable {
      session.reply(turn, std::move(held));
    });
  }
  void begin(Response response) override {
    used_ = true;
    unsent_->fetch_add(response.body.size(), std::memory_order_relaxed);
    run([turn = turn_, held = std::move(response)](Session& session) mutable {
      session.stream_begin(turn, std::move(held));
    });
  }
  // Goes out also where the application raised the flag itself: a stopped answer still has an end.
  bool write(std::string piece) override {
    const size_t unsent = unsent_->fetch_add(piece.size(), std::memory_order_relaxed);
    if (unsent + piece.size() > unsent_max_) {
      gone_->raise();  // it reads too slowly
      run([](Session& session) { session.abandon(); });
      return false;
    }
    run([turn = turn_, held = std::move(piece)](Session& session) mutable {
      session.stream_piece(turn, std::move(held));
    });
    return !gone_->raised();
  }
  void end() override {
    run([turn = turn_](Session& session) { session.stream_end(turn); });
  }

 private:
  // On the worker's thread; at once where this is it.
  template <typename Step>
  void run(Step step) {
    auto session = session_.lock();
    if (!session) return;
    if (std::this_thread::get_id() == worker_.thread) {
      step(*session);
      return;
    }
    boost::asio::post(worker_.loop,
                      [session = std::move(session), step = std::move(step)]() mutable {
                        step(*session);
                      });
  }

  std::weak_ptr<Session> session_;
  Worker& worker_;
  uint64_t turn_;
  std::shared_ptr<std::atomic<size_t>> unsent_;
  size_t unsent_max_;
  bool used_ = false;
};

Session::Session(std::unique_ptr<Transport> transport, Worker& worker, Common& common)
    : transport_(std::move(transport)), worker_(worker), common_(common) {
  common_.open.fetch_add(1, std::memory_order_relaxed);
  common_.total.fetch_add(1, std::memory_order_relaxed);
}

Session::~Session() {
  release_body();
  common_.open.fetch_sub(1, std::memory_order_relaxed);
}

void Session::start() {
  place_ = worker_.sessions.insert(worker_.sessions.end(), shared_from_this());
  enter(Phase::Handshake, common_.limits.head_seconds);
  transport_->handshake([self = shared_from_this()](Failure failure) {
    if (self->closed()) return;
    if (failure) return self->close();
    self->next_request();
    self->enter(Phase::Head, self->common_.limits.head_seconds);
    self->read();
  });
}

void Session::enter(Phase phase, double seconds) {
  phase_ = phase;
  deadline_ = seconds > 0 ? std::chrono::steady_clock::now() + duration(seconds) : Moment::max();
}

void Session::next_request() {
  reader_ = std::make_unique<RequestReader>(
      RequestReader::Sizes{common_.limits.head_bytes_max, common_.limits.body_bytes_max});
  ++turn_;
  gone_.reset();
  unsent_.reset();
  close_after_ = head_only_ = chunked_ = reply_begun_ = reply_complete_ = false;
}

void Session::read() {
  if (reading_ || closed()) return;
  reading_ = true;
  if (chunk_.empty()) chunk_.resize(kReadBytes);
  transport_->read_some(boost::asio::buffer(chunk_),
                        [self = shared_from_this()](Failure failure, size_t bytes) {
                          self->on_read(failure, bytes);
                        });
}

void Session::on_read(Failure failure, size_t bytes) {
  reading_ = false;
  if (closed()) return;
  if (phase_ == Phase::Lingering) {
    lingered_ += bytes;
    if (failure || lingered_ > kLingerBytesMax) return close();
    return read();
  }
  if (failure) {
    if (phase_ == Phase::Handling) common_.gone.fetch_add(1, std::memory_order_relaxed);
    return abandon();
  }
  input_.append(chunk_.data(), bytes);
  if (phase_ == Phase::Handling) {
    // Nothing else is expected now; reading on is how a client that leaves is noticed.
    if (input_.size() < kPipelineBytesMax) read();
    return;
  }
  advance();
}

void Session::advance() {
  while (phase_ == Phase::Head || phase_ == Phase::Body) {
    const bool fresh = !reader_->started();
    size_t taken = 0;
    const RequestReader::State state = reader_->feed(input_, taken);
    input_.erase(0, taken);
    switch (state) {
      case RequestReader::State::Head:
        if (fresh && reader_->started()) enter(Phase::Head, common_.limits.head_seconds);
        return read();
      case RequestReader::State::HeadDone:
        if (!on_head()) return;
        break;
      case RequestReader::State::Body: {
        const size_t before = common_.body_bytes.fetch_add(taken, std::memory_order_relaxed);
        body_counted_ += taken;
        if (before + taken > kBodiesBytesMax) return refuse(503, "too much is being sent at once");
        return read();
      }
      case RequestReader::State::Done:
        dispatch();
        return;
      case RequestReader::State::Failed: return refuse(reader_->status(), reader_->why());
    }
  }
}

bool Session::on_head() {
  Request& request = reader_->request();
  head_only_ = request.method == "HEAD";
  request.peer = transport_->peer();
  request.local_socket = transport_->local_socket();
  request.own_user = transport_->own_user();
  request.encrypted = transport_->encrypted();
  common_.requests.fetch_add(1, std::memory_order_relaxed);
  if (auto refusal = common_.application.admit(request)) {
    // Who is not let in, or cannot be told from somebody else, gets no second request.
    const bool suspect = refusal->status == 400 || refusal->status == 403;
    answer(std::move(*refusal), suspect || reader_->has_body());
    return false;
  }
  enter(Phase::Body, common_.limits.body_seconds);
  if (reader_->has_body() && reader_->expects_continue()) {
    queue("HTTP/1.1 100 Continue\r\n\r\n");
    flush();
  }
  return true;
}

void Session::dispatch() {
  release_body();
  enter(Phase::Handling, 0);
  gone_ = std::make_shared<StopFlag>();
  unsent_ = std::make_shared<std::atomic<size_t>>(0);
  common_.application.handle(
      std::make_shared<Talk>(shared_from_this(), worker_, std::move(reader_->request())));
  if (phase_ == Phase::Handling && !reply_complete_) read();
}

void Session::refuse(int status, const std::string& why) {
  common_.malformed.fetch_add(1, std::memory_order_relaxed);
  answer(common_.application.refuse(status, why), true);
}

// A reply that the session itself gives, before there was an exchange.
void Session::answer(Response response, bool close_after) {
  release_body();
  enter(Phase::Handling, 0);
  close_after_ = close_after;
  reply(turn_, std::move(response));
}

void Session::reply(uint64_t turn, Response response) {
  if (turn != turn_ || reply_begun_ || closed()) return;
  reply_begun_ = reply_complete_ = true;
  const bool bare = head_only_ || response.status == 204;
  std::string body = std::move(response.body);
  std::string text = write_head(response, body.size());
  if (!bare) text += body;
  queue(std::move(text));
  flush();
}

void Session::stream_begin(uint64_t turn, Response response) {
  if (turn != turn_ || reply_begun_ || closed()) return;
  reply_begun_ = true;
  chunked_ = !reader_->version_1_0();
  if (!chunked_) close_after_ = true;
  std::string first = std::move(response.body);
  queue(write_head(response, std::nullopt));
  if (!first.empty()) return stream_piece(turn, std::move(first));
  flush();
}

void Session::stream_piece(uint64_t turn, std::string piece) {
  if (turn != turn_ || reply_complete_ || closed() || piece.empty()) return;
  stream_queued_ += piece.size();
  queue(chunked_ ? fmt::format("{:x}\r\n{}\r\n", piece.size(), piece) : std::move(piece));
  flush();
}

void Session::stream_end(uint64_t turn) {
  if (turn != turn_ || reply_complete_ || closed()) return;
  reply_complete_ = true;
  if (chunked_) queue("0\r\n\r\n");
  flush();
}

std::string Session::write_head(const Response& response, std::optional<size_t> length) {
  close_after_ = close_after_ || !reader_->keep_alive() || common_.draining.load();
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                                 status_text(response.status), worker_.date);
  if (!response.content_type.empty()) {
    head += fmt::format("Content-Type: {}\r\n", response.content_type);
  }
  if (length) {
    if (response.status != 204) head += fmt::format("Content-Length: {}\r\n", *length);
  } else if (chunked_) {
    head += "Transfer-Encoding: chunked\r\n";
  }
  if (close_after_) {
    head += "Connection: close\r\n";
  } else if (reader_->version_1_0()) {
    head += "Connection: keep-alive\r\n";
  }
  for (const Header& header : response.headers) {
    // Whatever a value was made of, it ends no line.
    std::string value = header.value;
    for (char& c : value) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    head += fmt::format("{}: {}\r\n", header.name, value);
  }
  return head + "\r\n";
}

void Session::queue(std::string piece) { out_.push_back(std::move(piece)); }

void Session::flush() {
  if (write_under_way_ || closed()) return;
  if (out_.empty()) {
    if (reply_complete_) finish_reply();
    return;
  }
  write_under_way_ = true;
  // A client that does not read is found out here; one that streams on gets a new deadline with
  // each piece it took.
  write_deadline_ = std::chrono::steady_clock::now() + duration(common_.limits.write_seconds);
  writing_.swap(out_);
  stream_writing_ = std::exchange(stream_queued_, 0);
  Transport::Buffers buffers;
  for (const std::string& piece : writing_) buffers.emplace_back(piece.data(), piece.size());
  transport_->write(buffers, [self = shared_from_this()](Failure failure, size_t bytes) {
    self->on_written(failure, bytes);
  });
}

void Session::on_written(Failure failure, size_t) {
  write_under_way_ = false;
  writing_.clear();
  if (unsent_) unsent_->fetch_sub(stream_writing_, std::memory_order_relaxed);
  stream_writing_ = 0;
  if (closed()) return;
  if (failure) {
    common_.gone.fetch_add(1, std::memory_order_relaxed);
    return abandon();
  }
  flush();
}

void Session::finish_reply() {
  if (phase_ != Phase::Handling) return;  // an interim 100
  if (close_after_ || common_.draining.load(std::memory_order_relaxed)) return linger();
  next_request();
  enter(Phase::Head, common_.limits.idle_seconds);
  if (input_.empty()) return read();
  advance();
}

// Closing with bytes unread would reset the connection, and the client might lose the reply.
void Session::linger() {
  ++turn_;
  enter(Phase::Lingering, kLingerSeconds);
  transport_->shut_down_sending();
  read();
}

void Session::release_body() {
  common_.body_bytes.fetch_sub(body_counted_, std::memory_order_relaxed);
  body_counted_ = 0;
}

void Session::sweep(Moment now) {
  if (closed()) return;
  if (write_under_way_ && now > write_deadline_) {
    common_.timeouts.fetch_add(1, std::memory_order_relaxed);
    return abandon();
  }
  if (now <= deadline_) return;
  const bool told = (phase_ == Phase::Head && reader_->started()) || phase_ == Phase::Body;
  if (phase_ != Phase::Lingering) common_.timeouts.fetch_add(1, std::memory_order_relaxed);
  if (told) return refuse(408, "the request took too long to arrive");
  close();
}

bool Session::evictable() const {
  return phase_ == Phase::Head || phase_ == Phase::Handshake || phase_ == Phase::Lingering;
}

void Session::drain() {
  if (phase_ == Phase::Handshake || (phase_ == Phase::Head && !reader_->started())) close();
}

void Session::abandon() {
  if (gone_) gone_->raise();
  close();
}

void Session::close() {
  if (closed()) return;
  if (gone_) gone_->raise();
  phase_ = Phase::Closed;
  transport_->close();
  const auto self = shared_from_this();
  worker_.sessions.erase(place_);
}

}  // namespace tinyarms::http
