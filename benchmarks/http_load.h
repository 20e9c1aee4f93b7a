// Load on an HTTP server: one thread, any number of connections that are kept, each with one
// request under way at a time. What is measured is seen by the client: from the first byte sent to
// the last byte received.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace tinyarms::bench {

struct Load {
  int port = 0;
  std::string request;  // head and body
  int connections = 1;
  int requests = 1;  // in all
  // Streamed replies: what stands before a time in a frame, as nanoseconds of the steady clock. The
  // client notes how long after that each frame came.
  std::string stamp = {};
  double pause_seconds = 0;   // at least, from request to request of one connection
  bool may_refuse = false;    // 429 is an answer too
};

struct LoadResult {
  double seconds = 0;                // of the whole load
  std::vector<double> latencies;     // seconds, of each request that was answered
  std::vector<double> refusals;      // seconds, of each that was refused (429)
  int without_retry_after = 0;       // of those
  std::vector<double> frame_delays;  // seconds, of each frame with a stamp
};

// Errors: Internal (no connection, a reply cut off or refused).
Result<LoadResult> run_load(const Load& load);

std::string post_request(const std::string& path, const std::string& headers,
                         const std::string& body);

}  // namespace tinyarms::bench
