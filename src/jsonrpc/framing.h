// How messages are told apart in a stream of bytes: a line each (MCP over stdio), or a head with
// Content-Length (LSP). Fed in pieces as they come; nothing larger than the limit is kept.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tinyarms::jsonrpc {

// The text of a frame; too_large where it was passed over, malformed where the stream is no frames
// and cannot be followed any further.
struct Frame {
  enum class Kind { Message, TooLarge, Malformed };
  Kind kind = Kind::Message;
  std::string text{};
};

class Framing {
 public:
  virtual ~Framing() = default;
  virtual void feed(std::string_view bytes) = 0;
  // The next frame that is complete; nothing until more is fed.
  virtual std::optional<Frame> next() = 0;
  // What is left is all: a last line without its newline counts.
  virtual void close() {}
};

// A frame ends with "\n" ("\r" before it is dropped); empty lines are passed over.
class LineFraming final : public Framing {
 public:
  explicit LineFraming(size_t bytes_max) : bytes_max_(bytes_max) {}
  void feed(std::string_view bytes) override;
  std::optional<Frame> next() override;
  void close() override { closed_ = true; }

 private:
  size_t bytes_max_;
  std::string pending_;
  size_t looked_at_ = 0;  // of pending_: no newline in it
  bool skipping_ = false;  // the rest of a line that was too large
  bool closed_ = false;
};

// "Content-Length: N\r\n…\r\n\r\n" and N bytes.
class HeaderFraming final : public Framing {
 public:
  explicit HeaderFraming(size_t bytes_max) : bytes_max_(bytes_max) {}
  void feed(std::string_view bytes) override;
  std::optional<Frame> next() override;

  static std::string wrap(std::string_view text);

 private:
  size_t bytes_max_;
  std::string pending_;
  size_t skip_ = 0;  // bytes of a body that was too large
  bool broken_ = false;
};

}  // namespace tinyarms::jsonrpc
