// llama.cpp's own server as a peer: started on a free port of this machine, asked for streamed
// answers, stopped when it goes.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "local_server.h"

namespace tinyarms::bench {

// When the pieces of one answer came, in seconds from the request.
using Arrivals = std::vector<double>;

class LlamaServer {
 public:
  struct Options {
    std::filesystem::path program;
    std::filesystem::path file;
    int threads = 0;
    int parallel = 1;
    int context = 1024;  // of all slots together
  };
  // Returns when it is ready. Errors: NotFound, Internal.
  static Result<std::unique_ptr<LlamaServer>> start(const Options& options);

  // A greedy answer to one question, or to a conversation as JSON. Any number of threads.
  Result<Arrivals> ask(const std::string& messages_json, int tokens) const;

 private:
  explicit LlamaServer(std::unique_ptr<LocalServer> server) : server_(std::move(server)) {}

  std::unique_ptr<LocalServer> server_;
};

}  // namespace tinyarms::bench
