#include "door/answering.h"

#include <fmt/format.h>

#include "openai/chat_parse.h"
#include "service/reply_json.h"

namespace tinyarms::door {
namespace {

using cascade::Decision;
using cascade::Level;

const char* finish_name(cascade::Finish finish) {
  return finish == cascade::Finish::Length ? "length" : "stop";
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
    streamed_.clear();
    live_.reset();
    // Another choice is another draw.
    climb_.sampling.seed = seed_ + static_cast<uint32_t>(reply_.choices.size());
    Climb climb{climb_, call_.gone(), shared_from_this(), true};
    if (!kitchen_.climbs.submit(std::move(climb))) refused();
  }

  void planned(std::optional<Level> last) override { live_ = last; }

  // Only what nobody can take back is sent on at once: the highest tier that may be asked.
  void text_generated(Level level, std::string_view piece) override {
    if (!request_.stream || level != live_) return;
    std::string events = begun_ ? "" : open({});
    events += writer_->text(index(), piece, {});
    streamed_ += piece;
    send_events(std::move(events));
  }

  void refused() override {
    fail(openai::busy("this server is at its limit: try again later",
                      kitchen_.climbs.retry_after()));
  }

  void finished(cascade::Reply reply) override {
    count(reply);
    if (call_.gone()->raised()) return call_.end();
    const cascade::Step* step = reply.step();
    if (step == nullptr) return fail(no_answer(reply, kitchen_.climbs.retry_after()));
    openai::Choice choice{.content = step->attempt.answer,
                          .finish = finish_name(step->attempt.finish)};
    for (const cascade::Step& one : reply.trace) {
      reply_.usage.prompt_tokens += reply_.choices.empty() ? one.attempt.cost.prompt_tokens : 0;
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
      streamed_.clear();
      deliver(choice);
    }
    if (static_cast<int>(reply_.choices.size()) < request_.n) return start();
    complete();
  }

 private:
  int index() const { return static_cast<int>(reply_.choices.size()); }

  std::string open(std::vector<http::Header> headers) {
    begun_ = true;
    call_.begin_events(writer_->open(reply_), std::move(headers));
    return "";
  }

  void send_events(std::string events) {
    if (!events.empty()) call_.write(std::move(events));
  }

  void deliver(const openai::Choice& choice) {
    if (request_.stream) {
      std::string events = begun_ ? "" : open(headers_);
      const std::string& whole = choice.content;
      if (whole.size() > streamed_.size() && whole.starts_with(streamed_)) {
        events += writer_->text(index(), std::string_view(whole).substr(streamed_.size()),
                                choice.logprobs);
      }
      events += writer_->close_choice(index(), choice, reply_.tinyarms);
      send_events(std::move(events));
    }
    reply_.choices.push_back(choice);
  }

  void complete() {
    if (!request_.stream) return call_.send(writer_->whole(reply_), headers_);
    send_events(writer_->close(reply_));
    call_.end();
  }

  void fail(const openai::ApiError& error) {
    kitchen_.counts.failed.fetch_add(1, std::memory_order_relaxed);
    if (!begun_) return call_.fail(error);
    send_events(writer_->failure(error));
    call_.end();
  }

  void count(const cascade::Reply& reply) {
    if (kitchen_.unlogged && reply.id.empty()) kitchen_.unlogged(climb_, reply, call_.id());
    AnswerCounts& counts = kitchen_.counts;
    if (const cascade::Step* step = reply.step()) {
      counts.by_level[static_cast<size_t>(step->level)].fetch_add(1, std::memory_order_relaxed);
    }
    for (const cascade::Step& step : reply.trace) {
      counts.prompt_tokens += static_cast<uint64_t>(step.attempt.cost.prompt_tokens);
      counts.completion_tokens += static_cast<uint64_t>(step.attempt.cost.completion_tokens);
    }
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
  std::string streamed_;  // of the choice at hand
  bool begun_ = false;    // the stream
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
  if (wishes.threshold) {
    climb.threshold = wishes.threshold;
    climb.level_thresholds.clear();
  }
  if (wishes.seconds_max) climb.seconds_max = wishes.seconds_max;
  if (wishes.cost_max) climb.cost_max = wishes.cost_max;
  return std::nullopt;
}

// What changes an answer's form and is not served is refused: text where an object was asked for
// helps nobody.
std::optional<openai::ApiError> not_served(const openai::ChatRequest& request) {
  const auto refuse = [](const char* what, const char* field) {
    openai::ApiError error = openai::bad_request(fmt::format("{} not served yet", what), field);
    error.code = "unsupported_value";
    return error;
  };
  if (!request.tools.empty() && request.tool_choice != openai::ToolChoice::None) {
    return refuse("tools are", "tools");
  }
  if (request.format != openai::Format::Text) {
    return refuse("formats other than text are", "response_format");
  }
  if (request.logprobs) return refuse("token probabilities are", "logprobs");
  return std::nullopt;
}

}  // namespace

std::optional<openai::ApiError> to_climb(const Kitchen& kitchen, const Caller& caller,
                                         const openai::ChatRequest& request,
                                         cascade::Request& climb) {
  if (auto missing = not_served(request)) return missing;
  const auto settings = kitchen.settings.get();
  climb = service::make_request(*settings);
  climb.owner = caller.owner;
  if (request.temperature) climb.sampling.temperature = *request.temperature;
  if (request.seed) climb.sampling.seed = *request.seed;
  if (request.tokens_max) climb.sampling.tokens_max = *request.tokens_max;
  if (!request.stop.empty()) climb.sampling.stop = request.stop;
  for (const openai::ChatMessage& message : request.messages) {
    const auto role = message.role == "system"      ? cascade::Role::System
                      : message.role == "assistant" ? cascade::Role::Assistant
                                                    : cascade::Role::User;
    climb.messages.push_back({role, message.content});
  }
  if (auto wrong = kitchen.models.apply(request.model, *settings, climb)) return wrong;
  return apply_wishes(request.wishes, climb);
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
  std::make_shared<Answering>(kitchen, call, std::move(request), std::move(writer),
                              std::move(climb))
      ->start();
}

openai::OrderedJson reply_facts(const cascade::Reply& reply, const std::string& trace_id,
                                bool with_trace) {
  const cascade::Step* step = reply.step();
  openai::OrderedJson whole = service::reply_json(reply);
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
  if (with_trace) facts["trace"] = whole["trace"];
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
