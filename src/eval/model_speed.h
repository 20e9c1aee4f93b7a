// How fast a model runs on this machine: loading, reading and writing of a generator, texts of an
// encoder, pairs of a reranker; what it adds to this process's memory, and the power meanwhile.
// Each figure is the median of up to three rounds of different texts, after one to warm up.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/stop_flag.h"
#include "catalog/installed_model.h"
#include "catalog/measured_speed.h"

namespace tinyarms::eval {

inline constexpr uint32_t kSpeedContext = 1024;  // of a generator; holds the longest round

// How many rounds of what length fit into the time that is left.
struct SpeedPlan {
  int prompt_tokens = 256;
  int answer_tokens = 64;
  int rounds = 3;
};
struct TokenRates {  // a second
  double prompt = 0;
  double answer = 0;
};
SpeedPlan plan_speed(const TokenRates& rates, double seconds_left);

struct SpeedOptions {
  int threads = 0;           // 0: every core
  double seconds_max = 45;   // aimed at; a short round to warm up is always made
  std::function<void(const std::string&)> progress{};  // what is being done; may be empty
};

// What figures of that file measured here and now would hold for.
catalog::MeasuredOn measured_on(const std::string& sha256, int threads);

// `model` with its SHA-256. Errors: those of loading and computing; Interrupted.
Result<catalog::MeasuredSpeed> measure_speed(const catalog::InstalledModel& model,
                                             const SpeedOptions& options, const Clock& clock,
                                             const StopFlag& stop);

}  // namespace tinyarms::eval
