// What differs between the APIs that engines speak: where a question goes, how it is written, how
// the answer is read. One of each, const, for all calls.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "remote/endpoint.h"
#include "remote/reply_reader.h"

namespace tinyarms::remote {

struct WireOptions {
  std::string model;
  bool logprobs = true;
};

class ChatProtocol {
 public:
  virtual ~ChatProtocol() = default;
  virtual std::string_view path() const = 0;  // below the API's root
  virtual std::vector<std::string> headers(const ApiKey& key) const = 0;
  virtual std::string body(const WireOptions& wire, const std::vector<ChatMessage>& messages,
                           const ChatOptions& options) const = 0;
  // `options`: of the question that it reads the answer of.
  virtual std::unique_ptr<ReplyReader> reader(ReplySinks sinks,
                                              const ChatOptions& options) const = 0;
  // Whether WireOptions::logprobs means anything to it.
  virtual bool has_logprobs() const { return true; }
};

const ChatProtocol& protocol_of(Api api);

}  // namespace tinyarms::remote
