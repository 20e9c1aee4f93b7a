#include "tiers/asking.h"

#include <deque>

#include "engine/scheduler/scheduled_generator.h"
#include "schema/json_schema.h"

namespace tinyarms::tiers {
namespace {

constexpr int64_t kRepeatsOfTools = 256;

engine::SamplingOptions sampling_of(const cascade::Sampling& sampling) {
  engine::SamplingOptions options{.temperature = sampling.temperature,
                                  .top_k = sampling.top_k,
                                  .top_p = sampling.top_p,
                                  .frequency_penalty = sampling.frequency_penalty,
                                  .presence_penalty = sampling.presence_penalty,
                                  .seed = sampling.seed};
  for (const auto& [token, bias] : sampling.logit_bias) {
    options.logit_bias.push_back({token, static_cast<float>(bias)});
  }
  return options;
}

// What its prompt is made of, and nothing else.
engine::CompletionRequest prompt_request(const cascade::Request& request,
                                         std::span<const engine::ChatMessage> messages) {
  engine::CompletionRequest made;
  if (request.prefix) {
    made.prompt = request.prefix;
    made.suffix = request.suffix;
  } else {
    made.messages.assign(messages.begin(), messages.end());
  }
  made.tools = tools_of(request.order);
  made.tool_choice = tool_choice_of(request.order);
  made.parallel_tool_calls = request.order.parallel_tool_calls;
  if (!request.order.json_schema.empty()) {
    made.json_schema = schema::constrainable(request.order.json_schema);
  }
  made.scope = request.owner;
  return made;
}

engine::CompletionRequest completion_request(const Asking& asking,
                                             std::span<const engine::ChatMessage> messages) {
  const cascade::Request& request = asking.request;
  engine::CompletionRequest made = prompt_request(request, messages);
  made.sampling = sampling_of(request.sampling);
  made.tokens_max = request.sampling.tokens_max;
  made.stop = request.sampling.stop;
  made.top_logprobs = request.order.top_logprobs;
  made.give_up = asking.give_up;
  made.stop_flag = &asking.stop;
  return made;
}

cascade::TokenLogprob token_of(engine::TokenReport report) {
  cascade::TokenLogprob token{{std::move(report.chosen.bytes), report.chosen.logprob}, {}};
  for (engine::TokenAlternative& one : report.top) {
    token.top.push_back({std::move(one.bytes), one.logprob});
  }
  return token;
}

// Tokens come when they are drawn; the text that they make may come later, or never (the end of
// the answer, a stop sequence, a call).
class TokensOfText {
 public:
  void add(std::vector<engine::TokenReport> reports) {
    for (engine::TokenReport& report : reports) waiting_.push_back(token_of(std::move(report)));
  }

  // Those that the next `bytes` of text are made of.
  std::vector<cascade::TokenLogprob> take(size_t bytes) {
    shown_ += bytes;
    std::vector<cascade::TokenLogprob> taken;
    while (!waiting_.empty() && made_ < shown_) {
      made_ += waiting_.front().chosen.bytes.size();
      taken.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    return taken;
  }

 private:
  std::deque<cascade::TokenLogprob> waiting_;
  size_t shown_ = 0;  // bytes of text
  size_t made_ = 0;   // bytes of the tokens taken
};

std::vector<cascade::ToolDelta> deltas_of(std::vector<engine::CompletionEvent::ToolDelta>& tools) {
  std::vector<cascade::ToolDelta> deltas;
  for (auto& one : tools) {
    deltas.push_back({one.index, std::move(one.id), std::move(one.name), std::move(one.arguments)});
  }
  return deltas;
}

}  // namespace

std::vector<engine::ToolSpec> tools_of(const cascade::Order& order) {
  std::vector<engine::ToolSpec> tools;
  if (!order.may_call()) return tools;
  // One grammar holds them all.
  const auto repeats = kRepeatsOfTools / static_cast<int64_t>(order.tools.size());
  for (const cascade::Tool& tool : order.tools) {
    // A model that must call one need not know of others.
    if (order.tool_choice == cascade::ToolChoice::Named && tool.name != order.tool_named) continue;
    tools.push_back({tool.name, tool.description,
                     tool.parameters.empty() ? std::string()
                                             : schema::constrainable(tool.parameters, repeats)});
  }
  return tools;
}

engine::ToolChoice tool_choice_of(const cascade::Order& order) {
  return order.must_call() ? engine::ToolChoice::Required : engine::ToolChoice::Auto;
}

Result<std::unique_ptr<engine::CompletionStream>> submit_ahead(
    engine::CompletionEngine& engine, const cascade::Request& request, const StopFlag& stop,
    std::span<const engine::ChatMessage> messages) {
  engine::CompletionRequest made = prompt_request(request, messages);
  made.tokens_max = 1;  // with which it is over
  made.priority = engine::Priority::Background;
  made.stop_flag = &stop;
  return engine.submit(std::move(made));
}

Result<Answered> ask_scheduler(engine::CompletionEngine& engine, const Asking& asking,
                               std::span<const engine::ChatMessage> messages) {
  auto stream = engine.submit(completion_request(asking, messages));
  if (!stream) return stream.error();
  cascade::Listener& listener = asking.listener;
  Answered answered;
  TokensOfText tokens;
  while (auto event = (*stream)->next()) {
    if (asking.writing) asking.writing();
    if (event->prompt_tokens > 0) listener.prompt_counted(asking.level, event->prompt_tokens);
    tokens.add(std::move(event->tokens));
    if (!event->text.empty()) {
      auto taken = tokens.take(event->text.size());
      if (!taken.empty()) listener.tokens_generated(asking.level, taken);
      answered.logprobs.insert(answered.logprobs.end(), std::make_move_iterator(taken.begin()),
                               std::make_move_iterator(taken.end()));
      listener.text_generated(asking.level, event->text);
    }
    if (event->tools.empty()) continue;
    const auto deltas = deltas_of(event->tools);
    listener.tools_generated(asking.level, deltas);
  }
  auto completion = (*stream)->result();
  if (!completion) return completion.error();
  answered.stopped_by = std::move(completion->stopped_by);
  answered.cached_tokens = completion->cached_tokens;
  for (engine::ToolCall& call : completion->tool_calls) {
    answered.tool_calls.push_back(
        {std::move(call.id), std::move(call.name), std::move(call.arguments)});
  }
  answered.generation = engine::generation_of(std::move(*completion), asking.vocabulary);
  return answered;
}

}  // namespace tinyarms::tiers
