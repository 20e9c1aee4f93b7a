#include "tiers/api_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tiers/answer_evidence.h"
#include "tiers/order_evidence.h"
#include "tiers/prompt.h"

namespace tinyarms::tiers {
namespace {

namespace signal = cascade::signal;
using cascade::Level;

cascade::Finish finish_of(const std::string& reason) {
  if (reason == "interrupted") return cascade::Finish::Interrupted;
  return reason == "length" ? cascade::Finish::Length : cascade::Finish::Stop;
}

// The 10 % quantile by linear interpolation, as of local models (engine/answer_statistics.h).
double quantile_10(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double at = 0.1 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

struct Summary {
  double mean = 0;
  double min = 0;
  double q10 = 0;
};

Summary summarise(const std::vector<double>& values) {
  Summary summary;
  for (const double value : values) summary.mean += value;
  summary.mean /= static_cast<double>(values.size());
  summary.min = *std::min_element(values.begin(), values.end());
  summary.q10 = quantile_10(values);
  return summary;
}

// An API gives the top two tokens at most, so neither entropy nor logit variance can be had.
void add_token_evidence(const std::vector<remote::TokenLogprob>& tokens,
                        cascade::Evidence& evidence) {
  std::vector<double> probabilities;
  std::vector<double> margins;
  double total = 0;
  for (const remote::TokenLogprob& token : tokens) {
    if (!std::isfinite(token.chosen) || token.chosen > 0) continue;
    total += token.chosen;
    probabilities.push_back(std::exp(token.chosen));
    if (token.best && token.second) {
      margins.push_back(std::exp(*token.best) - std::exp(*token.second));
    }
  }
  if (probabilities.empty()) return;
  const Summary probability = summarise(probabilities);
  evidence.set(signal::kProbabilityMean, probability.mean);
  evidence.set(signal::kProbabilityMin, probability.min);
  evidence.set(signal::kProbabilityQ10, probability.q10);
  evidence.set(signal::kSequenceLogprob, total);
  evidence.set(signal::kLogprobMean, total / static_cast<double>(probabilities.size()));
  if (margins.size() != probabilities.size()) return;
  const Summary margin = summarise(margins);
  evidence.set(signal::kMarginMean, margin.mean);
  evidence.set(signal::kMarginMin, margin.min);
  evidence.set(signal::kMarginQ10, margin.q10);
}

std::vector<remote::ChatMessage> messages_of(const cascade::Request& request) {
  std::vector<remote::ChatMessage> messages;
  for (engine::ChatMessage& message : conversation(request, "")) {
    remote::ChatMessage each{std::move(message.role), std::move(message.content)};
    for (engine::ToolCall& call : message.tool_calls) {
      each.tool_calls.push_back(
          {std::move(call.id), std::move(call.name), std::move(call.arguments)});
    }
    each.tool_call_id = std::move(message.tool_call_id);
    messages.push_back(std::move(each));
  }
  return messages;
}

remote::ChatOptions options_of(const cascade::Request& request) {
  const cascade::Sampling& sampling = request.sampling;
  const cascade::Order& order = request.order;
  remote::ChatOptions options{.tokens_max = sampling.tokens_max,
                              .temperature = sampling.temperature,
                              .seed = sampling.seed,
                              .stop = sampling.stop};
  options.top_logprobs = std::max(options.top_logprobs, order.top_logprobs.value_or(0));
  options.json_schema = order.json_schema;
  options.logit_bias = sampling.logit_bias;
  options.frequency_penalty = sampling.frequency_penalty;
  options.presence_penalty = sampling.presence_penalty;
  options.top_p = sampling.top_p;
  if (!order.may_call()) return options;
  for (const cascade::Tool& tool : order.tools) {
    options.tools.push_back({tool.name, tool.description, tool.parameters});
  }
  switch (order.tool_choice) {
    case cascade::ToolChoice::Auto: options.tool_choice = "auto"; break;
    case cascade::ToolChoice::None: break;
    case cascade::ToolChoice::Required: options.tool_choice = "required"; break;
    case cascade::ToolChoice::Named: options.tool_choice = "name:" + order.tool_named; break;
  }
  options.parallel_tool_calls = order.parallel_tool_calls;
  return options;
}

// What is left of the time that the whole question may take.
double seconds_left(const cascade::Request& request, const cascade::Trace& so_far) {
  double left = request.seconds_max.value_or(std::numeric_limits<double>::infinity());
  for (const cascade::Step& step : so_far) left -= step.seconds;
  return left;
}

void add_route_evidence(const remote::ChatRoute& route, cascade::Evidence& evidence) {
  evidence.set(signal::kUpstream, route.answered);
  std::string passed;
  for (const remote::PassedOver& one : route.passed) {
    passed += fmt::format("{}{}: {}", passed.empty() ? "" : "; ", one.place, one.why);
  }
  if (!passed.empty()) evidence.set(signal::kUpstreamsPassed, std::move(passed));
}

// Engines report as many alternatives as our own evidence needs: no more than were wished for.
std::vector<cascade::TokenLogprob> logprobs_of(const remote::ChatReply& reply, size_t top) {
  std::vector<cascade::TokenLogprob> tokens;
  for (const remote::TokenLogprob& one : reply.logprobs) {
    cascade::TokenLogprob& token = tokens.emplace_back();
    token.chosen = {one.token, one.chosen};
    for (size_t i = 0; i < std::min(top, one.top.size()); ++i) {
      token.top.push_back({one.top[i].first, one.top[i].second});
    }
  }
  return tokens;
}

// The most tokens that a question can be read as: none is shorter than a byte.
size_t bytes_of(const std::vector<remote::ChatMessage>& messages,
                const remote::ChatOptions& options) {
  constexpr size_t kAround = 16;  // what a template puts around each part
  size_t bytes = kAround + options.json_schema.size();
  for (const remote::ChatMessage& message : messages) {
    bytes += kAround + message.content.size();
    for (const remote::ToolCall& call : message.tool_calls) {
      bytes += kAround + call.name.size() + call.arguments.size();
    }
  }
  for (const remote::Tool& tool : options.tools) {
    bytes += kAround + tool.name.size() + tool.description.size() + tool.parameters.size();
  }
  return bytes;
}

// What one question costs. Where an engine does not say what it read and wrote, the most that it
// can have been: a budget is rather kept too early than too late.
struct Bill {
  std::optional<storage::TokenPrice> price;
  size_t prompt_bytes;

  Result<DailyBudget::Hold> hold(DailyBudget& budget, int tokens_max,
                                 const std::string& model) const {
    if (!price) {
      return Error{ErrorCode::Config,
                   fmt::format("l4.budget_per_day is set, but no price of {} is known", model),
                   "", "set l4.price_input and l4.price_output, US dollars a million tokens"};
    }
    return budget.hold(price->of(static_cast<double>(prompt_bytes), tokens_max));
  }

  double total(const remote::ChatReply* reply, const remote::ChatRoute& route) const {
    if (!price) return 0;
    const double prompt = static_cast<double>(prompt_bytes);
    const double lost = price->of(prompt * route.lost, static_cast<double>(route.lost_bytes));
    if (reply == nullptr) return lost;
    const auto read = static_cast<double>(reply->prompt_tokens);
    const auto reported = static_cast<double>(reply->completion_tokens);
    const auto written = static_cast<double>(remote::written_bytes(*reply));
    // What an engine has counted when it is cut off is of the beginning: the total comes last.
    const bool cut = finish_of(reply->finish_reason) == cascade::Finish::Interrupted;
    return lost + price->of(read > 0 ? read : prompt,
                            reported > 0 && !cut ? reported : std::max(reported, written));
  }
};

// What others spent is none of one key's business.
Error without_figures(Error error) {
  if (error.code != ErrorCode::OverBudget) return error;
  return {ErrorCode::OverBudget,
          "the day's budget of the remote tier has no room for this question", "",
          "try again after midnight UTC"};
}

// Names the span of this very attempt, which is the climb's next part.
std::string traceparent(const cascade::Request& request, const cascade::Trace& so_far,
                        TraceReach reach) {
  const TraceContext& climb = request.provenance.span;
  if (reach == TraceReach::Nobody || !climb.valid()) return {};
  return traceparent_of(part_of(climb, so_far.size()));
}

cascade::Attempt attempt_of(remote::ChatReply reply, const cascade::Request& request,
                            const std::string& model) {
  cascade::Attempt attempt;
  attempt.answered = true;
  attempt.source = reply.model.empty() ? model : reply.model;
  attempt.finish = finish_of(reply.finish_reason);
  attempt.evidence = evidence_of(reply);
  attempt.cost.prompt_tokens = reply.prompt_tokens;
  attempt.cost.completion_tokens = reply.completion_tokens;
  attempt.cost.prefill_seconds = reply.first_token_seconds;
  attempt.cost.decode_seconds = reply.seconds - reply.first_token_seconds;
  attempt.answer = std::move(reply.text);
  for (remote::ToolCall& call : reply.tool_calls) {
    attempt.tool_calls.push_back(
        {std::move(call.id), std::move(call.name), std::move(call.arguments)});
  }
  if (request.order.top_logprobs && attempt.tool_calls.empty()) {
    attempt.logprobs = logprobs_of(reply, static_cast<size_t>(*request.order.top_logprobs));
  }
  add_order_evidence(request.order, attempt);
  return attempt;
}

}  // namespace

cascade::Evidence evidence_of(const remote::ChatReply& reply) {
  cascade::Evidence evidence;
  if (reply.completion_tokens > 0) {
    evidence.set(signal::kTokens, static_cast<double>(reply.completion_tokens));
  }
  add_token_evidence(reply.logprobs, evidence);
  evidence.set(signal::kFinished, finish_of(reply.finish_reason) == cascade::Finish::Stop);
  add_code_evidence(reply.text, evidence);
  return evidence;
}

ApiEngine::ApiEngine(ApiEngineOptions options, const Clock& clock)
    : options_(std::move(options)),
      pool_(options_.urls, clock, {.breaker = {.probed = true}}, [this] { prober_.wake(); }),
      prober_(pool_) {}

const std::optional<storage::TokenPrice>& ApiEngine::price() {
  std::call_once(priced_, [this] {
    if (options_.price) price_ = options_.price();
  });
  return price_;
}

Result<cascade::Attempt> ApiEngine::complete(const cascade::Request& request,
                                             const cascade::Trace& so_far, const StopFlag& stop,
                                             cascade::Listener& listener) {
  const std::vector<remote::ChatMessage> messages = messages_of(request);
  const remote::ChatOptions options = options_of(request);
  auto key = remote::find_key(options_.key);
  if (!key) return key.error();
  auto client = remote::ChatClient::create(
      {.url = "", .model = options_.model, .key = std::move(*key), .api = options_.api},
      {.connections = &connections_, .pool = &pool_});
  if (!client) return client.error();
  const bool own = request.owner.empty();  // not of one who has a key among others
  const Bill bill{price(), bytes_of(messages, options)};
  std::optional<DailyBudget::Hold> hold;
  if (options_.budget != nullptr) {
    auto held = bill.hold(*options_.budget, options.tokens_max, options_.model);
    if (!held) return own ? held.error() : without_figures(held.error());
    hold.emplace(std::move(*held));
  }

  remote::ChatRoute route;
  auto reply = client->complete(
      {.messages = messages,
       .options = options,
       .stop = stop,
       .on_text = [&](std::string_view piece) { listener.text_generated(Level::L4, piece); },
       .on_tool =
           [&](const remote::ToolDelta& delta) {
             const cascade::ToolDelta told{delta.index, delta.id, delta.name, delta.arguments};
             listener.tools_generated(Level::L4, std::span(&told, 1));
           },
       .shown = listener.shows(Level::L4),
       .quotes = own,
       .traceparent = traceparent(request, so_far, options_.traces),
       .traceparent_abroad = options_.traces == TraceReach::Everybody,
       .seconds_max = seconds_left(request, so_far)},
      &route);
  const double paid = bill.total(reply ? &*reply : nullptr, route);
  if (hold) hold->pay(paid);
  hold.reset();  // settled before the trace says how much of the day is spent
  if (!reply) return reply.error();

  cascade::Attempt attempt = attempt_of(std::move(*reply), request, options_.model);
  add_route_evidence(route, attempt.evidence);
  if (bill.price) attempt.cost.dollars = paid;
  if (options_.budget != nullptr && own) {
    attempt.evidence.set(signal::kBudget, options_.budget->describe());
  }
  return attempt;
}

}  // namespace tinyarms::tiers
