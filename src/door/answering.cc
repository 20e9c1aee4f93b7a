#include "door/answering.h"

#include <fmt/format.h>

#include <span>
#include <utility>

#include "door/ordering.h"
#include "openai/chat_parse.h"
#include "service/reply_json.h"

namespace tinyarms::door {
namespace {

using cascade::Decision;
using cascade::Level;

const char* finish_name(const cascade::Attempt& attempt) {
  const bool whole = attempt.finish != cascade::Finish::Length &&
                     attempt.finish != cascade::Finish::Abandoned;
  if (!whole) return "length";
  return attempt.tool_calls.empty() ? "stop" : "tool_calls";
}

std::vector<openai::TokenLogprob> shown(std::span<const cascade::TokenLogprob> tokens) {
  std::vector<openai::TokenLogprob> shown;
  for (const cascade::TokenLogprob& token : tokens) {
    openai::TokenLogprob& one = shown.emplace_back();
    one.token = token.chosen.bytes;
    one.logprob = token.chosen.logprob;
    for (const auto& other : token.top) one.top.push_back({other.bytes, other.logprob});
  }
  return shown;
}

// One request: as many climbs as it wants choices, one after the other.
class Answering final : public Climber, public std::enable_shared_from_this<Answering> {
 public:
  Answering(const Kitchen& kitchen, Call call, openai::ChatRequest request,
            std::unique_ptr<openai::ReplyWriter> writer, cascade::Request climb)
      : kitchen_(kitchen),
        call_(std::move(call)),
        request_(std::move(request)),
        writer_(std::move(writer)),
        climb_(std::move(climb)),
        seed_(climb_.sampling.seed) {
    reply_.id = call_.id();
    reply_.created = static_cast<int64_t>(kitchen_.clock.wall_seconds());
    reply_.model = request_.model;
    reply_.fingerprint = kitchen_.fingerprint;
  }

  void start() {
    sent_ = {};
    tokens_.clear();
    live_.reset();
    prompt_tokens_ = 0;
    // Another choice is another draw.
    climb_.sampling.seed = seed_ + static_cast<uint32_t>(reply_.choices.size());
    if (!reply_.choices.empty()) begin_again(kitchen_, climb_.provenance);
    Climb climb{climb_, call_.gone(), shared_from_this()};
    if (!kitchen_.climbs.submit(std::move(climb))) refused();
  }

  void planned(std::optional<Level> last) override { live_ = last; }

  bool shows(Level level) const override { return request_.stream && level == live_; }

  void step_finished(const cascade::Step& step) override {
    prompt_tokens_ += step.attempt.cost.prompt_tokens;
  }

  void prompt_counted(Level level, int64_t tokens) override {
    if (level == live_) prompt_tokens_ += tokens;
  }

  // Only what nobody can take back is sent on at once: the highest tier that may be asked.
  void tokens_generated(Level level, std::span<const cascade::TokenLogprob> tokens) override {
    if (!request_.stream || level != live_) return;
    for (openai::TokenLogprob& token : shown(tokens)) tokens_.push_back(std::move(token));
  }

  void text_generated(Level level, std::string_view piece) override {
    if (!request_.stream || level != live_) return;
    open({});
    sent_.text += piece;
    sent_.tokens += tokens_.size();
    call_.write(writer_->text(index(), piece, std::exchange(tokens_, {})));
  }

  void tools_generated(Level level, std::span<const cascade::ToolDelta> deltas) override {
    if (!request_.stream || level != live_) return;
    open({});
    std::vector<openai::ToolDelta> told;
    for (const cascade::ToolDelta& one : deltas) {
      if (one.index > sent_.calls.size()) continue;  // whole at the end
      const bool begins = one.index == sent_.calls.size();
      if (begins) sent_.calls.emplace_back();
      sent_.calls[one.index] += one.arguments;
      told.push_back({one.index, begins ? call_id(one.index, one.id) : "", one.name,
                      one.arguments});
    }
    send_events(writer_->tools(index(), told));
  }

  void refused() override {
    fail(openai::busy("this server is at its limit: try again later",
                      kitchen_.climbs.retry_after()));
  }

  void finished(cascade::Reply reply) override {
    count_climb(kitchen_, climb_, reply, call_.id());
    if (call_.gone()->raised()) return call_.end();
    const cascade::Step* step = reply.step();
    if (step == nullptr) return fail(no_answer(reply, kitchen_.climbs.retry_after()));
    openai::Choice choice{.content = step->attempt.answer,
                          .finish = finish_name(step->attempt),
                          .stop_sequence = step->attempt.stopped_by};
    for (const cascade::ToolCall& call : step->attempt.tool_calls) {
      choice.tool_calls.push_back({call.id, call.name, call.arguments});
    }
    choice.logprobs = shown(step->attempt.logprobs);
    for (const cascade::Step& one : reply.trace) {
      if (reply_.choices.empty()) {
        reply_.usage.prompt_tokens += one.attempt.cost.prompt_tokens;
        reply_.usage.cached_tokens += one.attempt.cost.cached_tokens;
      }
      reply_.usage.completion_tokens += one.attempt.cost.completion_tokens;
    }
    if (reply_.choices.empty()) {
      reply_.tinyarms = reply_facts(reply, call_.id(), request_.wishes.trace);
      headers_ = reply_headers(reply, call_.id());
    }
    const bool settled = climb_.sampling.temperature == 0;
    deliver(choice);
    // Without chance every further choice is the first one again.
    while (settled && static_cast<int>(reply_.choices.size()) < request_.n) {
      sent_ = {};
      deliver(choice);
    }
    if (static_cast<int>(reply_.choices.size()) < request_.n) return start();
    complete();
  }

 private:
  int index() const { return static_cast<int>(reply_.choices.size()); }

  void open(std::vector<http::Header> headers) {
    if (std::exchange(begun_, true)) return;
    openai::ChatReply head = reply_;
    if (head.usage.prompt_tokens == 0) head.usage.prompt_tokens = prompt_tokens_;
    call_.begin_events(writer_->open(head), std::move(headers));
  }

  void send_events(std::string events) {
    if (!events.empty()) call_.write(std::move(events));
  }

  // The model's own where it has one; else one that no other call has.
  std::string call_id(size_t call, const std::string& own) const {
    return own.empty() ? fmt::format("call_{}_{}_{}", call_.id(), index(), call) : own;
  }

  void deliver(openai::Choice choice) {
    for (size_t i = 0; i < choice.tool_calls.size(); ++i) {
      choice.tool_calls[i].id = call_id(i, choice.tool_calls[i].id);
    }
    if (request_.stream) {
      open(headers_);
      send_rest(choice);
      send_events(writer_->close_choice(index(), choice, reply_.tinyarms));
    }
    reply_.choices.push_back(std::move(choice));
  }

  // Of text and calls, what has not been sent.
  void send_rest(const openai::Choice& choice) {
    const std::string& whole = choice.content;
    if (whole.size() > sent_.text.size() && whole.starts_with(sent_.text)) {
      const auto from = static_cast<std::ptrdiff_t>(
          std::min(sent_.tokens, choice.logprobs.size()));
      send_events(writer_->text(index(), std::string_view(whole).substr(sent_.text.size()),
                                {choice.logprobs.begin() + from, choice.logprobs.end()}));
    }
    std::vector<openai::ToolDelta> rest;
    for (size_t i = 0; i < choice.tool_calls.size(); ++i) {
      const openai::ToolCall& call = choice.tool_calls[i];
      if (i >= sent_.calls.size()) {
        rest.push_back({i, call.id, call.name, call.arguments});
      } else if (call.arguments.size() > sent_.calls[i].size() &&
                 call.arguments.starts_with(sent_.calls[i])) {
        rest.push_back({i, "", "", call.arguments.substr(sent_.calls[i].size())});
      }
    }
    if (!rest.empty()) send_events(writer_->tools(index(), rest));
  }

  void complete() {
    if (!request_.stream) return call_.send(writer_->whole(reply_), headers_);
    send_events(writer_->close(reply_));
    call_.end();
  }

  void fail(const openai::ApiError& error) {
    kitchen_.counts.failed.fetch_add(1, std::memory_order_relaxed);
    if (!begun_) return call_.fail(with_field(error));
    send_events(writer_->failure(error));
    call_.end();
  }

  // What only the model could find out is about a field all the same.
  openai::ApiError with_field(openai::ApiError error) const {
    if (error.status != 400 || !error.param.empty()) return error;
    if (error.code == "unsupported_value" && climb_.suffix) error.param = "suffix";
    if (error.code != "context_length_exceeded") return error;
    error.param = climb_.prefix ? "prompt" : "messages";
    return error;
  }

  Kitchen kitchen_;
  Call call_;
  openai::ChatRequest request_;
  std::unique_ptr<openai::ReplyWriter> writer_;
  cascade::Request climb_;
  uint32_t seed_;
  openai::ChatReply reply_;
  std::vector<http::Header> headers_;
  std::optional<Level> live_;
  // Of the choice at hand, what the client has.
  struct Sent {
    std::string text;
    size_t tokens = 0;
    std::vector<std::string> calls;  // the arguments of each
  };
  Sent sent_;
  std::vector<openai::TokenLogprob> tokens_;  // of the text to come
  int64_t prompt_tokens_ = 0;                 // of the tiers asked so far
  bool begun_ = false;                        // the stream
};

std::optional<openai::ApiError> apply_wishes(const openai::Wishes& wishes,
                                             cascade::Request& climb) {
  const auto level = [](const std::optional<std::string>& name, const char* field,
                        std::optional<Level>& into) -> std::optional<openai::ApiError> {
    if (!name) return std::nullopt;
    into = cascade::parse_level(*name);
    if (into) return std::nullopt;
    return openai::bad_request("the tiers are l0, l1, l2, l3 and l4",
                               fmt::format("tinyarms.{}", field));
  };
  if (auto wrong = level(wishes.tier, "tier", climb.only_level)) return wrong;
  if (auto wrong = level(wishes.max_tier, "max_tier", climb.level_max)) return wrong;
  if (wishes.threshold) climb.ask_for(wishes.threshold);
  if (wishes.seconds_max) climb.seconds_max = wishes.seconds_max;
  if (wishes.cost_max) climb.cost_max = wishes.cost_max;
  return std::nullopt;
}

}  // namespace

std::optional<openai::ApiError> to_climb(const Kitchen& kitchen, const Caller& caller,
                                         const openai::ChatRequest& request,
                                         cascade::Request& climb) {
  const auto settings = kitchen.settings.get();
  climb = service::make_request(*settings);
  climb.owner = caller.owner;
  if (auto wrong = to_order(request, climb)) return wrong;
  if (auto wrong = kitchen.models.apply(request.model, *settings, climb)) return wrong;
  return apply_wishes(request.wishes, climb);
}

cascade::Provenance provenance_of(const Kitchen& kitchen, const Call& call) {
  cascade::Provenance from{
      .id = call.id(), .at = kitchen.clock.wall_seconds(), .served = true};
  // Of two, neither is to be believed.
  if (call.request().count("traceparent") == 1) {
    from.caller = parse_traceparent(*call.request().header("traceparent"));
  }
  begin_again(kitchen, from);
  return from;
}

void begin_again(const Kitchen& kitchen, cascade::Provenance& provenance) {
  if (kitchen.traces != nullptr) kitchen.traces->begin(provenance);
}

void answer(const Kitchen& kitchen, const Call& call, openai::ChatRequest request,
            std::unique_ptr<openai::ReplyWriter> writer) {
  constexpr std::string_view kWishPrefix = "x-tinyarms-";
  for (const http::Header& header : call.request().headers) {
    if (!header.name.starts_with(kWishPrefix)) continue;
    const auto name = std::string_view(header.name).substr(kWishPrefix.size());
    if (auto read = openai::read_wish(name, header.value, request.wishes); !read) {
      return call.fail(openai::api_error(read.error()));
    }
  }
  cascade::Request climb;
  if (auto wrong = to_climb(kitchen, call.caller(), request, climb)) return call.fail(*wrong);
  climb.provenance = provenance_of(kitchen, call);
  std::make_shared<Answering>(kitchen, call, std::move(request), std::move(writer),
                              std::move(climb))
      ->start();
}

void count_climb(const Kitchen& kitchen, const cascade::Request& climb,
                 const cascade::Reply& reply, const std::string& id) {
  if (kitchen.unlogged && reply.id.empty()) kitchen.unlogged(climb, reply, id);
  AnswerCounts& counts = kitchen.counts;
  if (const cascade::Step* step = reply.step()) {
    counts.by_level[static_cast<size_t>(step->level)].fetch_add(1, std::memory_order_relaxed);
  }
  for (const cascade::Step& step : reply.trace) {
    counts.prompt_tokens += static_cast<uint64_t>(step.attempt.cost.prompt_tokens);
    counts.completion_tokens += static_cast<uint64_t>(step.attempt.cost.completion_tokens);
  }
}

openai::OrderedJson reply_facts(const cascade::Reply& reply, const std::string& trace_id,
                                bool with_trace) {
  const cascade::Step* step = reply.step();
  openai::OrderedJson whole = service::reply_json(reply, with_trace);
  openai::OrderedJson facts = {
      {"tier", whole["tier"]},
      {"confidence", whole["confidence"]},
      {"calibrated", whole["calibrated"]},
      {"certified", whole["certified"]},
      {"sure", whole["sure"]},
      {"source", whole["source"]},
      {"notice", whole["notice"]},
      {"threshold", step != nullptr && step->threshold ? openai::OrderedJson(*step->threshold)
                                                       : openai::OrderedJson(nullptr)},
      {"reason", step != nullptr ? openai::OrderedJson(step->reason)
                                 : openai::OrderedJson(nullptr)},
      {"cost", whole["usage"]},
      {"trace_id", trace_id},
      {"decision_id", whole["id"]},
  };
  if (with_trace) facts["trace"] = std::move(whole["trace"]);
  return facts;
}

std::vector<http::Header> reply_headers(const cascade::Reply& reply, const std::string& trace_id) {
  std::vector<http::Header> headers = {{"x-tinyarms-trace-id", trace_id}};
  const cascade::Step* step = reply.step();
  if (step == nullptr) return headers;
  double seconds = 0;
  int64_t tokens = 0;
  for (const cascade::Step& one : reply.trace) {
    seconds += one.seconds;
    tokens += one.attempt.cost.prompt_tokens + one.attempt.cost.completion_tokens;
  }
  headers.push_back({"x-tinyarms-tier", std::string(cascade::level_name(step->level))});
  if (step->confidence) {
    headers.push_back({"x-tinyarms-confidence", fmt::format("{:.4f}", *step->confidence)});
  }
  headers.push_back({"x-tinyarms-calibrated", step->calibrated ? "true" : "false"});
  headers.push_back({"x-tinyarms-sure", reply.sure ? "true" : "false"});
  headers.push_back(
      {"x-tinyarms-cost", fmt::format("tokens={}; seconds={:.6f}", tokens, seconds)});
  return headers;
}

openai::ApiError no_answer(const cascade::Reply& reply, int retry_after) {
  std::string why;
  const cascade::Step* failed = nullptr;
  for (const cascade::Step& step : reply.trace) {
    if (step.error) failed = &step;
    if (step.level < Level::L2 && step.decision != Decision::Fail) continue;
    why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", cascade::level_name(step.level),
                       step.reason);
  }
  if (failed != nullptr) {
    // All that it means of a model here: its queue is full (engine/scheduler).
    const bool local = failed->level == Level::L2 || failed->level == Level::L3;
    if (local && failed->error == ErrorCode::Unavailable) {
      return openai::busy(failed->reason, retry_after);
    }
    openai::ApiError error = openai::api_error({*failed->error, failed->reason, "", ""});
    if (error.status == 404) error.status = 503;  // the model that a tier is configured to use
    return error;
  }
  openai::ApiError error = openai::of_status(503, "no tier could answer: " + why);
  error.code = "no_answer";
  return error;
}

}  // namespace tinyarms::door
