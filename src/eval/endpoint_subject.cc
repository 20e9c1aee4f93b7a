#include "eval/endpoint_subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "remote/chat_client.h"
#include "tiers/api_engine.h"

namespace tinyarms::eval {
namespace {

namespace signal = cascade::signal;

constexpr int kTopTokens = 20;  // the most that the API allows

std::vector<remote::ChatMessage> remote_chat_of(const Item& item) {
  std::vector<remote::ChatMessage> messages;
  for (const cascade::Message& message : item.messages) {
    const char* role = message.role == cascade::Role::System      ? "system"
                       : message.role == cascade::Role::Assistant ? "assistant"
                                                                  : "user";
    messages.push_back({role, message.content});
  }
  return messages;
}

// " A" and "A" are one option: tokens carry the space before them.
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

class EndpointSubject final : public Subject {
 public:
  EndpointSubject(EndpointSubjectOptions options, remote::ChatClient client)
      : options_(std::move(options)), client_(std::move(client)) {}

  std::string name() const override {
    return fmt::format("{} at {}", options_.endpoint.model,
                       remote::place_of(options_.endpoint.url));
  }

  std::string fingerprint() const override {
    return fmt::format("model {} at {}: neither file nor template can be seen from here",
                       options_.endpoint.model, options_.endpoint.url);
  }

  Result<Response> answer(const Item& item, const Sampling& sampling,
                          const StopFlag& stop) override {
    remote::ChatOptions options{.tokens_max = item.tokens_max,
                                .temperature = sampling.temperature,
                                .seed = sampling.seed,
                                .stop = item.stop};
    if (item.mode == Mode::Choose) {
      options.tokens_max = 1;
      options.top_logprobs = kTopTokens;
    }
    auto reply = client_.complete(remote_chat_of(item), options, stop, {});
    if (!reply) return reply.error();
    if (reply->finish_reason == "interrupted") {
      return Error{ErrorCode::Interrupted, "stopped", "", ""};
    }
    TierResponse tier;
    tier.tier = name();
    tier.seconds = reply->seconds;
    tier.prompt_tokens = reply->prompt_tokens;
    tier.completion_tokens = reply->completion_tokens;
    tier.evidence = tiers::evidence_of(*reply);
    tier.answer = std::move(reply->text);
    if (item.mode == Mode::Choose) {
      if (auto chosen = choose(item, *reply, tier); !chosen) return chosen.error();
    }
    return Response{{std::move(tier)}};
  }

  int concurrency_max() const override { return options_.concurrency; }

 private:
  static Result<void> choose(const Item& item, const remote::ChatReply& reply,
                             TierResponse& tier) {
    if (reply.logprobs.empty()) {
      return Error{ErrorCode::Unsupported, "the engine gives no log-probabilities", "",
                   "leave the tasks with options out"};
    }
    for (const auto& [token, logprob] : reply.logprobs.front().top) {
      const auto found = std::find_if(item.options.begin(), item.options.end(),
                                      [text = std::string_view(token)](const auto& option) {
                                        return trimmed(option) == trimmed(text);
                                      });
      if (found == item.options.end()) continue;
      tier.answer = *found;
      tier.evidence.set(signal::kSequenceLogprob, logprob);
      return {};
    }
    return Error{ErrorCode::NotFound,
                 fmt::format("none of the options is among the {} likeliest tokens", kTopTokens),
                 "", ""};
  }

  EndpointSubjectOptions options_;
  remote::ChatClient client_;
};

}  // namespace

Result<std::unique_ptr<Subject>> open_endpoint_subject(const EndpointSubjectOptions& options) {
  auto client = remote::ChatClient::create(options.endpoint);
  if (!client) return client.error();
  return Result<std::unique_ptr<Subject>>(
      std::make_unique<EndpointSubject>(options, std::move(*client)));
}

}  // namespace tinyarms::eval
