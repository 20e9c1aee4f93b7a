#include "mcp/stdio.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "jsonrpc/framing.h"

namespace tinyarms::mcp {
namespace {

using jsonrpc::Message;

constexpr const char* kTheSession = "stdio";
constexpr size_t kReadBytes = 64 << 10;
constexpr auto kLookEvery = std::chrono::milliseconds(50);  // whether a signal came meanwhile

// Whole lines, from any thread.
class LineWriter {
 public:
  explicit LineWriter(std::function<bool(std::string_view)> write) : write_(std::move(write)) {}

  void write(std::string line) {
    line += '\n';
    const std::lock_guard lock(mutex_);
    if (!broken_ && !write_(line)) broken_ = true;  // nobody reads on
  }
  bool broken() const { return broken_; }

 private:
  const std::function<bool(std::string_view)> write_;
  std::mutex mutex_;
  std::atomic<bool> broken_{false};
};

// How many requests wait for their answers.
class Pending {
 public:
  void begin() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }
  void end() {
    {
      const std::lock_guard lock(mutex_);
      --count_;
    }
    changed_.notify_all();
  }
  // Until there are none, or for a moment.
  bool none_soon() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLookEvery, [&] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t count_ = 0;
};

struct Line {
  explicit Line(std::function<bool(std::string_view)> write) : writer(std::move(write)) {}
  LineWriter writer;
  Pending pending;
};

class LineAnswer final : public Answer {
 public:
  LineAnswer(std::shared_ptr<Line> line, Json id) : line_(std::move(line)), id_(std::move(id)) {
    line_->pending.begin();
  }
  ~LineAnswer() override { line_->pending.end(); }
  void reply(std::string text) override { line_->writer.write(std::move(text)); }
  void fail(const jsonrpc::Failure& failure) override {
    line_->writer.write(jsonrpc::failure_text(id_, failure));
  }
  void notify(std::string text) override { line_->writer.write(std::move(text)); }
  void drop() override {}

 private:
  std::shared_ptr<Line> line_;
  Json id_;
};

void take(Dispatcher& dispatcher, const std::shared_ptr<Line>& line, const std::string& text) {
  const jsonrpc::Parsed parsed = jsonrpc::parse(text, {.bytes_max = kLineBytesMax});
  if (!parsed.message) {
    return line->writer.write(jsonrpc::failure_text(parsed.id, parsed.failure));
  }
  switch (parsed.message->kind) {
    case Message::Kind::Notification:
      return dispatcher.notification(*parsed.message, kTheSession);
    case Message::Kind::Response: return;  // nothing was asked of the client
    case Message::Kind::Request: break;
  }
  Arrival arrival;
  arrival.stateless = has_envelope(*parsed.message);
  arrival.session = kTheSession;
  arrival.stop = std::make_shared<StopFlag>();
  dispatcher.request(*parsed.message, arrival,
                     std::make_shared<LineAnswer>(line, parsed.message->id));
}

}  // namespace

void serve_stdio(Dispatcher& dispatcher, const StdioOptions& options, const StopFlag& stop) {
  const auto line = std::make_shared<Line>(options.write);
  jsonrpc::LineFraming framing(kLineBytesMax);
  std::string block(kReadBytes, '\0');
  bool open = true;
  while (open && !stop.raised() && !line->writer.broken()) {
    if (!options.wait(options.input)) continue;
    const ssize_t got = ::read(options.input, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      open = false;
      framing.close();
    } else {
      framing.feed(std::string_view(block).substr(0, static_cast<size_t>(got)));
    }
    while (auto frame = framing.next()) {
      if (frame->kind == jsonrpc::Frame::Kind::Message) {
        take(dispatcher, line, frame->text);
      } else {
        line->writer.write(jsonrpc::failure_text(
            nullptr, {jsonrpc::kInvalidRequest, "the line is larger than 4 MiB", nullptr}));
      }
    }
  }
  if (options.ended) options.ended();
  while (!line->pending.none_soon()) {
    if (stop.raised() || line->writer.broken()) break;
  }
  dispatcher.stop("");
}

}  // namespace tinyarms::mcp
