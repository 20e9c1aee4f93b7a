// An OpenAI-compatible engine that knows its answer already, so that what is between it and a
// client can be measured. The question says how it answers:
//
//   "listen"  a stream of kFrames frames, kFramePause apart, each with kStamp and the time it was
//             written at, in nanoseconds of the steady clock
//   "wait"    after kAnswerPause, as an engine that computes
//   others    at once
#pragma once

#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "http/server.h"

namespace tinyarms::bench {

class ScriptedEngine final : public http::Application {
 public:
  static constexpr const char* kStamp = "at ";
  static constexpr int kFrames = 40;
  static constexpr std::chrono::milliseconds kFramePause{50};
  static constexpr std::chrono::milliseconds kAnswerPause{50};

  ScriptedEngine();

  std::optional<http::Response> admit(http::Request&) override { return std::nullopt; }
  void handle(const std::shared_ptr<http::Exchange>& exchange) override;
  http::Response refuse(int status, std::string_view why) override;

 private:
  using SteadyClock = std::chrono::steady_clock;
  struct Pending {
    std::shared_ptr<http::Exchange> exchange;
    SteadyClock::time_point next;
    int frames_left = 0;
    bool listens = false;
  };

  static void advance(Pending& pending);
  void pace(const std::stop_token& stop);
  void put_off(Pending pending);

  std::mutex mutex_;
  std::vector<Pending> pending_;
  std::jthread pacer_;  // writes what is due, of all replies; last: it uses the others
};

}  // namespace tinyarms::bench
