#include "engine/scheduler/completion_stream.h"

#include <algorithm>
#include <iterator>

namespace tinyarms::engine {
namespace {

template <typename T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

void CompletionChannel::publish(CompletionEvent event) {
  const std::lock_guard lock(mutex_);
  if (pending_) {
    pending_->prompt_tokens = std::max(pending_->prompt_tokens, event.prompt_tokens);
    pending_->prompt_done = std::max(pending_->prompt_done, event.prompt_done);
    pending_->text += event.text;
    pending_->reasoning += event.reasoning;
    append(pending_->tools, event.tools);
    append(pending_->tokens, event.tokens);
  } else {
    pending_ = std::move(event);
  }
  wake();
}

void CompletionChannel::finish(Result<Completion> result) {
  const std::lock_guard lock(mutex_);
  if (result_) return;
  result_ = std::move(result);
  wake();
}

// Under the lock, so that nobody is woken whose end is gone.
void CompletionChannel::wake() {
  changed_.notify_all();
  if (waker_) waker_();
}

std::optional<CompletionEvent> CompletionChannel::next(bool wait) {
  std::unique_lock lock(mutex_);
  if (wait) changed_.wait(lock, [this] { return pending_ || result_; });
  std::optional<CompletionEvent> event = std::move(pending_);
  pending_.reset();
  return event;
}

Result<Completion> CompletionChannel::result() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return result_.has_value(); });
  return *result_;
}

bool CompletionChannel::finished() const {
  const std::lock_guard lock(mutex_);
  return result_.has_value();
}

void CompletionChannel::set_waker(std::function<void()> waker) {
  const std::lock_guard lock(mutex_);
  waker_ = std::move(waker);
  if (waker_ && (pending_ || result_)) waker_();  // what came before it was set
}

void CompletionChannel::abandon() {
  cancel();
  set_waker({});
}

}  // namespace tinyarms::engine
