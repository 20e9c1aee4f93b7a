#include "scripted_engine.h"

#include <fmt/format.h>

namespace tinyarms::bench {
namespace {

std::string frame(const std::string& delta, const char* finish) {
  return fmt::format(
      R"(data: {{"id":"c","object":"chat.completion.chunk","created":1,"model":"mock","choices":[)"
      R"({{"index":0,"delta":{},"finish_reason":{}}}]}})"
      "\n\n",
      delta, finish);
}

std::string last_frames() { return frame("{}", "\"stop\"") + "data: [DONE]\n\n"; }

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

http::Response answer(bool stream) {
  if (stream) {
    return {.content_type = "text/event-stream",
            .body = frame(R"({"role":"assistant","content":"Four."})", "null") + last_frames()};
  }
  return {.body = R"({"id":"c","object":"chat.completion","created":1,"model":"mock","choices":)"
                  R"([{"index":0,"message":{"role":"assistant","content":"Four."},)"
                  R"("finish_reason":"stop"}],)"
                  R"("usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}})"};
}

}  // namespace

ScriptedEngine::ScriptedEngine() : pacer_([this](const std::stop_token& stop) { pace(stop); }) {}

void ScriptedEngine::handle(const std::shared_ptr<http::Exchange>& exchange) {
  const std::string& body = exchange->request().body;
  if (contains(body, "\"listen\"")) {
    exchange->begin({.content_type = "text/event-stream",
                     .body = frame(R"({"role":"assistant","content":""})", "null")});
    return put_off({exchange, SteadyClock::now() + kFramePause, kFrames, true});
  }
  if (contains(body, "\"wait\"")) {
    return put_off({exchange, SteadyClock::now() + kAnswerPause, 0, false});
  }
  exchange->send(answer(contains(body, "\"stream\":true")));
}

http::Response ScriptedEngine::refuse(int status, std::string_view why) {
  return {.status = status, .content_type = "text/plain", .body = std::string(why)};
}

void ScriptedEngine::put_off(Pending pending) {
  const std::lock_guard lock(mutex_);
  pending_.push_back(std::move(pending));
}

void ScriptedEngine::advance(Pending& pending) {
  const int left = pending.frames_left--;
  if (!pending.listens) {
    return pending.exchange->send(
        answer(contains(pending.exchange->request().body, "\"stream\":true")));
  }
  if (left == 0) {
    pending.exchange->write(last_frames());
    return pending.exchange->end();
  }
  pending.exchange->write(frame(fmt::format(R"({{"content":"{}{} "}})", kStamp,
                                            SteadyClock::now().time_since_epoch().count()),
                                "null"));
  pending.next += kFramePause;
}

void ScriptedEngine::pace(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::lock_guard lock(mutex_);
    for (Pending& pending : pending_) {
      if (pending.next <= SteadyClock::now()) advance(pending);
    }
    std::erase_if(pending_, [](const Pending& pending) { return pending.frames_left < 0; });
  }
}

}  // namespace tinyarms::bench
