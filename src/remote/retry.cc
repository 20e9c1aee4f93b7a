#include "remote/retry.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <thread>

namespace tinyarms::remote {

double full_jitter(const Backoff& backoff, int tries, double chance) {
  return chance * std::min(backoff.first_seconds * std::exp2(tries), backoff.max_seconds);
}

double fair_chance() {
  std::random_device source;
  return std::uniform_real_distribution<double>(0, 1)(source);
}

bool pause(double seconds, const StopFlag& stop) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::duration<double> kLook(0.02);
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    if (stop.raised()) return false;
    std::this_thread::sleep_for(std::min<std::chrono::duration<double>>(kLook, end - Clock::now()));
  }
  return !stop.raised();
}

}  // namespace tinyarms::remote
