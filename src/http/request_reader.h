// Bytes → one HTTP/1.1 request. Boost.Beast's parser, and what it lets through that two servers
// could read differently (RFC 9112, 6.1 and 6.3): a body whose length is said twice or in a coding
// that is not known, a second Host, a target that is no path.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace tinyarms::http {

class RequestReader {
 public:
  struct Sizes {
    size_t head_bytes_max;
    size_t body_bytes_max;
  };
  enum class State {
    Head,        // more bytes of the head are needed
    HeadDone,    // said once, where the head is complete; nothing of the body was taken
    Body,        // more bytes of the body are needed
    Done,
    Failed,      // status() and why() say how; the connection cannot be used any longer
  };

  explicit RequestReader(Sizes sizes);
  ~RequestReader();

  // Takes from the front of `bytes` what belongs to this request; `taken` says how many.
  State feed(std::string_view bytes, size_t& taken);

  bool started() const { return started_; }  // whether any byte has come
  Request& request() { return request_; }
  bool keep_alive() const;
  bool version_1_0() const;
  bool expects_continue() const;
  bool has_body() const;  // once the head is done: whether a body follows
  int status() const { return status_; }
  const std::string& why() const { return why_; }

 private:
  struct Parser;

  State fail(int status, std::string why);
  State finish_head();

  std::unique_ptr<Parser> parser_;
  Request request_;
  bool started_ = false;
  bool head_done_ = false;
  int status_ = 0;
  std::string why_;
};

}  // namespace tinyarms::http
