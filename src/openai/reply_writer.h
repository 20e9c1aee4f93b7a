// How one API shows an answer: whole, or as the events of a stream while it is made. One writer a
// request; not thread-safe. The streams of each API are documented where they are written.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "openai/api_error.h"
#include "openai/chat.h"
#include "openai/chat_render.h"

namespace tinyarms::openai {

class ReplyWriter {
 public:
  virtual ~ReplyWriter() = default;

  virtual OrderedJson whole(const ChatReply& reply) = 0;

  // A stream is open, then for each choice any texts, any calls and one close, then close. `head`
  // has id, time, model and the tokens of the prompt; nothing else is known yet.
  virtual std::string open(const ChatReply& head) = 0;
  virtual std::string text(int index, std::string_view piece,
                           const std::vector<TokenLogprob>& logprobs) = 0;
  // Calls of tools as they grow, one after the other.
  virtual std::string tools(int index, const std::vector<ToolDelta>& deltas) = 0;
  // Contents and calls were sent; the end was not.
  virtual std::string close_choice(int index, const Choice& choice,
                                   const OrderedJson& tinyarms) = 0;
  virtual std::string close(const ChatReply& reply) = 0;
  // Instead of the rest.
  virtual std::string failure(const ApiError& error) = 0;
};

std::unique_ptr<ReplyWriter> chat_writer(const ChatRequest& request);
std::unique_ptr<ReplyWriter> completion_writer(const ChatRequest& request);

}  // namespace tinyarms::openai
