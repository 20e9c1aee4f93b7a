#include "engine/scheduler/running_request.h"

#include <algorithm>

#include "engine/llama_backend.h"

namespace tinyarms::engine {
namespace {

double seconds_between(RunningRequest::Time from, RunningRequest::Time to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string piece_with_markup(const llama_vocab* vocabulary, llama_token token) {
  std::string piece(64, '\0');
  int32_t length = llama_token_to_piece(vocabulary, token, piece.data(),
                                        static_cast<int32_t>(piece.size()), 0, true);
  if (length < 0) {
    piece.resize(static_cast<size_t>(-length));
    length = llama_token_to_piece(vocabulary, token, piece.data(),
                                  static_cast<int32_t>(piece.size()), 0, true);
  }
  piece.resize(static_cast<size_t>(std::max(length, 0)));
  return piece;
}

// What was appended to a text that only grows; nothing where it did not only grow.
std::string appended(const std::string& before, const std::string& now) {
  return now.size() > before.size() && now.compare(0, before.size(), before) == 0
             ? now.substr(before.size())
             : std::string();
}

}  // namespace

RunningRequest::RunningRequest(PreparedRequest prepared,
                               std::shared_ptr<CompletionChannel> channel,
                               const llama_vocab* vocabulary, size_t context_tokens,
                               Time submitted)
    : prepared_(std::move(prepared)),
      channel_(std::move(channel)),
      vocabulary_(vocabulary),
      tokens_(std::move(prepared_.prompt)),
      prompt_tokens_(tokens_.size()),
      submitted_(submitted),
      text_(std::move(prepared_.stops), [this](std::string_view piece) { fresh_ += piece; }) {
  const auto wanted = static_cast<size_t>(prepared_.request.tokens_max);
  length_max_ = prompt_tokens_ + std::min(wanted, context_tokens - prompt_tokens_);
  if (const auto seconds = prepared_.request.seconds_max) {
    deadline_ = submitted + std::chrono::duration_cast<Time::duration>(
                                std::chrono::duration<double>(std::clamp(*seconds, 0.0, 1e9)));
  }
  for (const std::string& text : prepared_.form.preserved) {
    const auto tokens = tokenize_text(vocabulary_, text, {.special = false, .markup = true});
    if (tokens.size() == 1) preserved_.push_back(tokens.front());
  }
}

bool RunningRequest::unwanted() const {
  const StopFlag* stop = prepared_.request.stop_flag;
  return channel_->cancelled() || (stop != nullptr && stop->raised()) ||
         (deadline_ && std::chrono::steady_clock::now() >= *deadline_);
}

void RunningRequest::start(Time now, size_t reused) {
  computed = reused;
  if (was_started_) return;
  was_started_ = true;
  started_ = now;
  reused_ = reused;
}

bool RunningRequest::is_preserved(llama_token token) const {
  return std::find(preserved_.begin(), preserved_.end(), token) != preserved_.end();
}

std::string RunningRequest::bytes_of(llama_token token) const {
  if (is_preserved(token)) return piece_with_markup(vocabulary_, token);
  std::string bytes;
  append_piece(vocabulary_, token, bytes);
  return bytes;
}

bool RunningRequest::advance(std::span<const float> logits) {
  if (statistics_.empty()) first_logits_ = std::chrono::steady_clock::now();
  auto choice = prepared_.chooser->choose(logits);
  if (!choice) {
    fail(choice.error());
    return true;
  }
  statistics_.push_back(choice->statistics);
  answer_.push_back(choice->token);
  if (prepared_.request.top_logprobs) report(choice->token, logits);
  if (llama_vocab_is_eog(vocabulary_, choice->token)) {
    text_.finish();
    finish(FinishReason::Stop);
    return true;
  }
  if (text_.push(bytes_of(choice->token))) {
    finish(FinishReason::Stop);
    return true;
  }
  if (prompt_tokens_ + statistics_.size() >= length_max_) {
    text_.finish();
    finish(FinishReason::Length);
    return true;
  }
  const auto& give_up = prepared_.request.give_up;
  if (give_up && give_up(statistics_.back().margin())) {
    text_.finish();
    finish(FinishReason::Abandoned);
    return true;
  }
  tokens_.push_back(choice->token);
  publish();
  return false;
}

void RunningRequest::report(llama_token token, std::span<const float> logits) {
  TokenReport report;
  report.chosen = {bytes_of(token), statistics_.back().logprob};
  const auto count = static_cast<size_t>(*prepared_.request.top_logprobs);
  for (const auto& other : prepared_.chooser->likeliest(logits, count)) {
    report.top.push_back({piece_with_markup(vocabulary_, other.token), other.logprob});
  }
  reports_.push_back(std::move(report));
}

void RunningRequest::publish() {
  if (prepared_.parser) return publish_parsed(true);
  if (fresh_.empty() && reports_told_ == reports_.size()) return;
  CompletionEvent event;
  event.text = std::move(fresh_);
  fresh_.clear();
  send(std::move(event));
}

void RunningRequest::send(CompletionEvent event) {
  if (!told_prompt_) event.prompt_tokens = static_cast<int>(prompt_tokens_);
  told_prompt_ = true;
  event.tokens.assign(reports_.begin() + static_cast<std::ptrdiff_t>(reports_told_),
                      reports_.end());
  reports_told_ = reports_.size();
  channel_->publish(std::move(event));
}

// Tool calls are told as they grow; a text that its parser does not take yet waits.
void RunningRequest::publish_parsed(bool partial) {
  if (fresh_.empty() && partial) return;
  auto parsed = prepared_.parser->parse(text_.text(), partial);
  if (!parsed) return;
  fresh_.clear();
  CompletionEvent event;
  event.text = appended(told_.content, parsed->content);
  event.reasoning = appended(told_.reasoning, parsed->reasoning);
  for (size_t i = 0; i < parsed->tool_calls.size(); ++i) {
    const ToolCall& call = parsed->tool_calls[i];
    if (call.name.empty()) continue;
    const bool known = i < told_.tool_calls.size() && !told_.tool_calls[i].name.empty();
    const std::string more =
        known ? appended(told_.tool_calls[i].arguments, call.arguments) : call.arguments;
    if (known && more.empty()) continue;
    event.tools.push_back({i, known ? "" : call.id, known ? "" : call.name, more});
  }
  told_ = std::move(*parsed);
  send(std::move(event));
}

// Without what was there before it came.
void RunningRequest::tell_progress() {
  CompletionEvent event;
  event.prompt_done = static_cast<int>(computed - std::min(reused_, computed));
  send(std::move(event));
}

void RunningRequest::fail(Error error) { channel_->finish(std::move(error)); }

void RunningRequest::end_unwanted() {
  if (!statistics_.empty()) {
    text_.finish();
    return finish(FinishReason::Interrupted);
  }
  const bool late = !channel_->cancelled() && deadline_ &&
                    std::chrono::steady_clock::now() >= *deadline_;
  fail(Error{ErrorCode::Interrupted,
             late ? "its time was up before the first token" : "stopped before the first token",
             "", late ? "allow more time" : ""});
}

void RunningRequest::finish(FinishReason reason) {
  const Time now = std::chrono::steady_clock::now();
  Completion completion;
  completion.finish = reason;
  completion.deadline_passed =
      reason == FinishReason::Interrupted && deadline_ && now >= *deadline_;
  completion.prompt_tokens = static_cast<int>(prompt_tokens_);
  completion.cached_tokens = static_cast<int>(std::min(reused_, prompt_tokens_));
  completion.completion_tokens = static_cast<int>(statistics_.size());
  completion.queue_seconds = seconds_between(submitted_, started_);
  completion.prefill_seconds = seconds_between(started_, first_logits_);
  completion.decode_seconds = seconds_between(first_logits_, now);
  completion.statistics = summarise(statistics_);
  completion.answer = answer_;
  for (const TokenStatistics& token : statistics_) completion.margins.push_back(token.margin());
  completion.text = text_.text();
  const auto& own = prepared_.request.stop;
  if (std::find(own.begin(), own.end(), text_.stopped_by()) != own.end()) {
    completion.stopped_by = text_.stopped_by();
  }
  if (prepared_.parser) {
    publish_parsed(false);
    if (auto parsed = prepared_.parser->parse(text_.text(), false)) {
      completion.text = std::move(parsed->content);
      completion.reasoning = std::move(parsed->reasoning);
      completion.tool_calls = std::move(parsed->tool_calls);
    }
  } else {
    publish();
  }
  completion.tokens = std::move(reports_);
  channel_->finish(std::move(completion));
}

}  // namespace tinyarms::engine
