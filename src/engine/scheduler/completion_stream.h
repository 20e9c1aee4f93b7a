// The caller's end of a request under way. Thread-safe. Letting go of it cancels the request.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "engine/scheduler/completion.h"

namespace tinyarms::engine {

// Shared by the caller's end and the thread that computes.
class CompletionChannel {
 public:
  // The computing end. `publish` merges with what has not been fetched, so that a slow reader
  // costs the answer's own size and never makes the computing thread wait.
  void publish(CompletionEvent event);
  void finish(Result<Completion> result);
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  // The caller's end.
  std::optional<CompletionEvent> next(bool wait);
  Result<Completion> result();
  bool finished() const;
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  void set_waker(std::function<void()> waker);
  void abandon();  // cancelled, and nobody is to be woken

 private:
  void wake();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<CompletionEvent> pending_;
  std::optional<Result<Completion>> result_;
  std::function<void()> waker_;
  std::atomic<bool> cancelled_{false};
};

class CompletionStream {
 public:
  explicit CompletionStream(std::shared_ptr<CompletionChannel> channel)
      : channel_(std::move(channel)) {}
  ~CompletionStream() { channel_->abandon(); }
  CompletionStream(const CompletionStream&) = delete;
  CompletionStream& operator=(const CompletionStream&) = delete;

  // Waits for something new; nothing once the answer is complete or has failed.
  std::optional<CompletionEvent> next() { return channel_->next(true); }
  // The same without waiting; nothing where there is nothing new.
  std::optional<CompletionEvent> try_next() { return channel_->next(false); }
  bool finished() const { return channel_->finished(); }

  // Waits for the end. Errors: Interrupted (cancelled, or its time was up, before the first token),
  // Corrupt (the logits are not numbers; the model file was cut short), OverBudget
  // (no room in the context's memory), Internal (decoding failed, or a constraint did).
  Result<Completion> result() { return channel_->result(); }

  // Ends the answer at the next token.
  void cancel() { channel_->cancel(); }

  // Called whenever try_next() or finished() has news, mostly from the computing thread: it must
  // not block, nor call into this stream. Never called once this object is gone.
  void on_ready(std::function<void()> waker) { channel_->set_waker(std::move(waker)); }

 private:
  std::shared_ptr<CompletionChannel> channel_;
};

// Takes requests. Thread-safe. The scheduler is one; tests of servers bring their own.
class CompletionEngine {
 public:
  virtual ~CompletionEngine() = default;

  // Returns at once. Errors: Unavailable (overloaded: the queue is full, which is all it means
  // here), InvalidArgument (no message, an unknown role, text that is not UTF-8, options out of
  // range, a schema or grammar that cannot be read), ContextTooLong (with both numbers),
  // Unsupported (no usable chat template; no tokens for filling in the middle).
  virtual Result<std::unique_ptr<CompletionStream>> submit(CompletionRequest request) = 0;

  // What the request's prompt comes to, in tokens. Errors: those of submit() about the prompt.
  virtual Result<int> count_tokens(const CompletionRequest& request) = 0;
};

}  // namespace tinyarms::engine
