#include "remote/chat_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "remote/chat_protocol.h"
#include "remote/chat_try.h"

namespace tinyarms::remote {
namespace {

using Steady = std::chrono::steady_clock;
constexpr double kWaitMax = 10;  // a longer one is the user's to decide

double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

// Whether another engine may do better.
bool may_fail_over(ErrorCode code) {
  return code == ErrorCode::Unavailable || code == ErrorCode::Corrupt ||
         code == ErrorCode::Config || code == ErrorCode::OverBudget;
}

CallEnd end_of(const TryEnd& end) {
  if (end.reply) return CallEnd::Answered;
  const ErrorCode code = end.reply.error().code;
  if (code == ErrorCode::Interrupted || code == ErrorCode::InvalidArgument) return CallEnd::Nothing;
  const bool refused = end.status >= 400;
  return end.status == 429 || (refused && end.retry_after > 0) ? CallEnd::Busy : CallEnd::Failed;
}

// One question on its way: from engine to engine until one answers.
class Errand {
 public:
  Errand(const Endpoint& endpoint, const ChatClientOptions& options, EndpointPool& pool,
         const ChatCall& call, ChatRoute& route)
      : endpoint_(endpoint), options_(options), pool_(pool), call_(call), route_(route) {
    left_ = std::max(1, options.tries) + static_cast<int>(pool.size()) - 1;
  }

  Result<ChatReply> run() {
    while (true) {
      EndpointPool::Choice choice = pool_.take(asked_);
      if (!choice.lease) {
        if (!come_round(choice)) return outcome(choice);
        continue;
      }
      const size_t index = choice.lease->index();
      TryEnd end = ask(*choice.lease);
      if (end.reply) {
        add_passed(choice);
        route_.answered = pool_.place(index);
        std::erase_if(route_.passed,
                      [&](const PassedOver& one) { return one.place == route_.answered; });
        end.reply->seconds = seconds_since(start_);
        return std::move(end.reply);
      }
      remember(index, end);
      const Error& error = *failure_;
      if ((end.started && call_.shown) || !may_fail_over(error.code) || --left_ == 0 ||
          seconds_since(start_) > call_.seconds_max) {
        break;
      }
      asked_.push_back(index);
      if (error.code != ErrorCode::Unavailable) hopeless_.push_back(index);
    }
    return told();
  }

 private:
  TryEnd ask(EndpointPool::Lease& lease) {
    const double before = seconds_since(start_);
    Endpoint endpoint = endpoint_;
    bool heard = false;
    const auto hear = [&] {
      if (!std::exchange(heard, true)) lease.answering();
    };
    endpoint.url = pool_.url(lease.index());
    ChatTry chat{.endpoint = endpoint,
                 .messages = call_.messages,
                 .options = call_.options,
                 .quotes = call_.quotes,
                 .traceparent = call_.traceparent_abroad || is_on_this_machine(endpoint.url)
                                    ? std::string_view(call_.traceparent)
                                    : std::string_view(),
                 .sinks = {.on_text =
                               [&](std::string_view text) {
                                 hear();
                                 if (call_.on_text) call_.on_text(text);
                               },
                           .on_tool =
                               [&](const ToolDelta& delta) {
                                 hear();
                                 if (call_.on_tool) call_.on_tool(delta);
                               }}};
    const auto go = [&] {
      ++route_.tries;
      return try_chat(chat, options_.limits, call_.stop, options_.connections, start_);
    };
    TryEnd end = go();
    if (!end.reply && end.reply.error().code == ErrorCode::InvalidArgument &&
        protocol_of(endpoint_.api).has_logprobs()) {
      chat.logprobs = false;  // the commonest reason of a refusal; asked once more without
      end = go();
    }
    double seconds = end.retry_after;
    if (end.reply) {
      const double first = end.reply->first_token_seconds;  // 0: there was no token
      seconds = (first > 0 ? first : seconds_since(start_)) - before;
    }
    lease.end(end_of(end), seconds);
    return end;
  }

  void remember(size_t index, const TryEnd& end) {
    failure_ = end.reply.error();
    failure_->where = pool_.place(index);
    auto* known = find_passed(pool_.place(index));
    if (known != nullptr) {
      known->why = end.plain;
    } else {
      route_.passed.push_back({pool_.place(index), end.plain});
    }
    const bool taken = end.status == 200 || failure_->code == ErrorCode::Interrupted;
    if (taken) ++route_.lost;
    route_.lost_bytes += end.written_bytes;
  }

  PassedOver* find_passed(const std::string& place) {
    for (PassedOver& one : route_.passed) {
      if (one.place == place) return &one;
    }
    return nullptr;
  }

  // How a place failed says more than why it was not asked once more.
  void add_passed(const EndpointPool::Choice& choice) {
    for (const PassedOver& one : choice.passed) {
      if (find_passed(one.place) == nullptr) route_.passed.push_back(one);
    }
  }

  // Nobody is left to be asked now: waits until somebody may be. False where that makes no sense.
  bool come_round(const EndpointPool::Choice& choice) {
    const bool all_hopeless = hopeless_.size() == pool_.size();
    const bool again = asked_.size() > hopeless_.size();
    double seconds = choice.wait;  // of one that was not asked in this round
    if (again) {
      seconds = std::min(seconds, full_jitter(options_.backoff, rounds_++, fair_chance()));
    } else if (seconds < EndpointPool::kNever) {
      seconds += full_jitter(options_.backoff, 0, fair_chance());  // others wait for it too
      if (++waits_ > options_.tries) return false;
    }
    const bool in_time = seconds_since(start_) + seconds <= call_.seconds_max;
    if (all_hopeless || seconds > kWaitMax || !in_time) return false;
    if (!pause(seconds, call_.stop)) {
      failure_ = Error{ErrorCode::Interrupted, "stopped while waiting to try again", "", ""};
      return false;
    }
    if (again) asked_ = hopeless_;
    return true;
  }

  Result<ChatReply> outcome(const EndpointPool::Choice& choice) {
    add_passed(choice);
    if (!failure_) {
      std::string why;
      for (const PassedOver& one : choice.passed) {
        why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", one.place, one.why);
      }
      return Error{ErrorCode::Unavailable, "no remote engine may be asked now: " + why, "",
                   "try again in a moment"};
    }
    return told();
  }

  // With several engines the last failure alone would hide the others.
  Error told() const {
    Error error = *failure_;
    std::string others;
    for (const PassedOver& one : route_.passed) {
      if (one.place == error.where) continue;
      others += fmt::format("{}{}: {}", others.empty() ? "" : "; ", one.place, one.why);
    }
    if (!others.empty()) error.what += fmt::format(" [{}]", others);
    return error;
  }

  const Endpoint& endpoint_;
  const ChatClientOptions& options_;
  EndpointPool& pool_;
  const ChatCall& call_;
  ChatRoute& route_;
  Steady::time_point start_ = Steady::now();
  int left_;
  int rounds_ = 0;
  int waits_ = 0;  // for one that asked to be left alone
  std::vector<size_t> asked_;     // in this round, and those of no hope
  std::vector<size_t> hopeless_;  // a second try of theirs would end as the first did
  std::optional<Error> failure_;
};

}  // namespace

Result<ChatClient> ChatClient::create(Endpoint endpoint, ChatClientOptions options) {
  static const SystemClock kClock;
  std::shared_ptr<EndpointPool> own;
  if (options.pool == nullptr) {
    auto url = check_endpoint(endpoint);
    if (!url) return url.error();
    // By itself it is asked whatever happened before.
    own = std::make_shared<EndpointPool>(std::vector<std::string>{std::move(*url)}, kClock,
                                         PoolTerms{.breaker = {.failures_to_open = 0}});
  }
  for (size_t i = 0; options.pool != nullptr && i < options.pool->size(); ++i) {
    endpoint.url = options.pool->url(i);
    if (auto url = check_endpoint(endpoint); !url) return url.error();
  }
  return ChatClient(std::move(endpoint), options, std::move(own));
}

Result<ChatReply> ChatClient::complete(const ChatCall& call, ChatRoute* route) const {
  ChatRoute nobody_asks;
  EndpointPool& pool = options_.pool != nullptr ? *options_.pool : *own_;
  return Errand(endpoint_, options_, pool, call, route != nullptr ? *route : nobody_asks).run();
}

}  // namespace tinyarms::remote
