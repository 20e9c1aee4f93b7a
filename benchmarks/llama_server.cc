#include "llama_server.h"

#include <fmt/format.h>

#include <chrono>

namespace tinyarms::bench {
namespace {

constexpr const char* kHint = "./setup/install --peers";

}  // namespace

Result<std::unique_ptr<LlamaServer>> LlamaServer::start(const Options& options) {
  if (!std::filesystem::exists(options.program)) {
    return Error{ErrorCode::NotFound, "is missing", options.program.string(), kHint};
  }
  const int port = free_port();
  auto server = LocalServer::start(
      {.command = {options.program.string(), "-m", options.file.string(), "--host", "127.0.0.1",
                   "--port", std::to_string(port), "--threads", std::to_string(options.threads),
                   "--parallel", std::to_string(options.parallel), "-c",
                   std::to_string(options.context), "--no-webui"},
       .environment = {},
       .port = port,
       .ready_path = "/health",
       .hint = kHint});
  if (!server) return server.error();
  return std::unique_ptr<LlamaServer>(new LlamaServer(std::move(*server)));
}

Result<Arrivals> LlamaServer::ask(const std::string& messages_json, int tokens) const {
  const std::string body = fmt::format(
      R"({{"messages":{},"max_tokens":{},"temperature":0,"stream":true,"ignore_eos":true}})",
      messages_json, tokens);
  const std::string request = fmt::format(
      "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body);
  const auto start = std::chrono::steady_clock::now();
  Arrivals arrivals;
  std::string pending;
  const bool reached = exchange(server_->port(), request, [&](std::string_view bytes) {
    pending += bytes;
    const double now =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (size_t end; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
      const std::string_view line = std::string_view(pending).substr(0, end);
      if (line.find("\"content\":\"") != std::string_view::npos) arrivals.push_back(now);
    }
  });
  if (!reached || arrivals.empty()) {
    return Error{ErrorCode::Internal, "gave no answer", "llama-server", kHint};
  }
  return arrivals;
}

}  // namespace tinyarms::bench
