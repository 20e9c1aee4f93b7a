#include "remote/endpoint_prober.h"

#include <chrono>

#include "remote/http.h"

namespace tinyarms::remote {
namespace {

constexpr HttpLimits kProbeLimits = {
    .connect_seconds = 3, .idle_seconds = 5, .bytes_max = 1 << 20};

}  // namespace

bool answers(const std::string& url, const StopFlag& stop) {
  int status = 0;
  const HttpSink sink{.on_reply = [&](const HttpReply& reply) { status = reply.status; },
                      .on_bytes = [](std::string_view) { return false; }};
  const HttpFetch models{.url = url + "/models", .follow_redirects = false};
  const auto got = get(models, kProbeLimits, stop, sink);
  return got && status > 0 && status < 500 && status != 429;
}

EndpointProber::EndpointProber(EndpointPool& pool, Probe probe)
    : pool_(pool), probe_(std::move(probe)) {}

EndpointProber::~EndpointProber() {
  stop_.raise();
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void EndpointProber::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    woken_ = true;
    if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  }
  changed_.notify_all();
}

void EndpointProber::work() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    woken_ = false;
    const auto next = pool_.next_probe();
    const auto woken = [this] { return woken_ || ending_; };
    if (!next) {
      changed_.wait(lock, woken);
      continue;
    }
    // Another circuit may open, and be due, before this one is.
    if (changed_.wait_for(lock, std::chrono::duration<double>(next->second), woken)) continue;
    lock.unlock();
    const bool alive = probe_(pool_.url(next->first), stop_);
    if (!stop_.raised()) pool_.probed(next->first, alive);
    lock.lock();
  }
}

}  // namespace tinyarms::remote
