// Looks whether engines whose circuit is open live again, so that no user's question is spent on
// finding out. Its thread begins at the first circuit that opens: a process whose engines are well
// has none, and none is made where nothing remote may be asked.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/stop_flag.h"
#include "remote/endpoint_pool.h"

namespace tinyarms::remote {

// Whether an engine answers there at all: GET {url}/models, with no key and no redirect followed.
// A refusal (401, 404) is an answer; 5xx and 429 are none.
bool answers(const std::string& url, const StopFlag& stop);

class EndpointProber {
 public:
  using Probe = std::function<bool(const std::string& url, const StopFlag& stop)>;

  // The pool outlives it, but must no longer call wake() when it goes.
  explicit EndpointProber(EndpointPool& pool, Probe probe = answers);
  ~EndpointProber();
  EndpointProber(const EndpointProber&) = delete;
  EndpointProber& operator=(const EndpointProber&) = delete;

  // A circuit opened. Any thread; returns at once.
  void wake();

 private:
  void work();

  EndpointPool& pool_;
  Probe probe_;
  StopFlag stop_;  // ends a probe under way
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace tinyarms::remote
