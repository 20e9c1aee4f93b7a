// One HTTP request to a server of this user over a Unix socket, its reply taken as it comes.
// Every wait is short and asks whether to go on: a server that never answers costs a bounded time.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tinyarms::http {

struct LocalCall {
  std::filesystem::path socket;
  std::string method = "GET";
  std::string path;
  std::string body = {};          // JSON; empty: none
  double patience_seconds = 2;    // for connecting, being read, and the head of the reply
};

struct LocalReply {
  int status = 0;
  std::string body;  // what `piece` was not given; at most 1 MiB
  int pid = 0;       // of whoever listens, as the kernel says
};

struct LocalEvents {
  // The body of a reply with status 200, as it comes; false: no more is wanted.
  std::function<bool(std::string_view)> piece = {};
  // Every 50 ms in which nothing comes, and at once after a signal; false: gives up.
  std::function<bool()> waiting = {};
};

// Errors: NotFound (no such socket), Unavailable (nobody listens, or no answer in time),
// InvalidArgument (another user listens), Interrupted (given up), Corrupt (no HTTP), Io (it hung
// up before the reply was whole).
Result<LocalReply> call_local(const LocalCall& call, const LocalEvents& events = {});

}  // namespace tinyarms::http
