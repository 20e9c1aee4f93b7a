// One request from the queue to its end: its tokens, what was made of them, and what its caller has
// been told. Used by the thread that owns the context.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/scheduler/completion_stream.h"
#include "engine/scheduler/prepared_request.h"
#include "engine/text_stream.h"

namespace tinyarms::engine {

class RunningRequest {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `submitted`: when it was asked, before it was turned into tokens.
  RunningRequest(PreparedRequest prepared, std::shared_ptr<CompletionChannel> channel,
                 const llama_vocab* vocabulary, size_t context_tokens, Time submitted);

  // Cancelled, interrupted, or out of time. From any thread.
  bool unwanted() const;
  Priority priority() const { return prepared_.request.priority; }
  const std::string& scope() const { return prepared_.request.scope; }

  // Prompt and answer; those from `computed` on are still to be computed.
  std::span<const llama_token> tokens() const { return tokens_; }
  size_t prompt_tokens() const { return prompt_tokens_; }
  size_t length_max() const { return length_max_; }
  size_t pending() const { return tokens_.size() - computed; }

  void start(Time now, size_t reused);  // leaves the queue; again after it was parked
  // Takes the next token from the logits of the last one. True where the answer is over.
  bool advance(std::span<const float> logits);
  void tell_progress();  // how far the prompt is
  void fail(Error error);
  void end_unwanted();  // with what there is, or as interrupted

  int sequence = -1;    // in the context; −1 while it waits
  size_t computed = 0;  // tokens in the context's memory
  int passed_over = 0;  // how often others of higher priority went before it
  bool looked_for_snapshot = false;
  std::string awaited_snapshot;  // its name; empty: none

 private:
  void finish(FinishReason reason);
  void report(llama_token token, std::span<const float> logits);
  std::string bytes_of(llama_token token) const;
  bool is_preserved(llama_token token) const;
  void publish();
  void publish_parsed(bool partial);
  void send(CompletionEvent event);

  PreparedRequest prepared_;
  std::shared_ptr<CompletionChannel> channel_;
  const llama_vocab* vocabulary_;
  std::vector<llama_token> tokens_;
  std::vector<llama_token> preserved_;
  size_t prompt_tokens_;
  size_t length_max_;
  Time submitted_;
  Time started_{};
  Time first_logits_{};
  std::optional<Time> deadline_;
  bool was_started_ = false;
  bool told_prompt_ = false;
  size_t reused_ = 0;
  std::string fresh_;  // text that has become certain since the last event
  TextStream text_;
  std::vector<TokenStatistics> statistics_;
  std::vector<llama_token> answer_;
  std::vector<TokenReport> reports_;
  size_t reports_told_ = 0;
  ParsedAnswer told_;
};

}  // namespace tinyarms::engine
