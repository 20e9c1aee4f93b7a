#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "model.h"

namespace tinyarms::bench {
namespace {

std::string quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

Result<double> run_llama_bench(const PeerOptions& options) {
  const std::string command = fmt::format(
      "{} -m {} -t {} -p {} -n {} -d {} -r 1 -o json 2>/dev/null",
      quoted(options.program.string()), quoted(options.file.string()), options.threads,
      options.prompt_tokens, options.generated_tokens, options.depth);
  const auto failed = [&](const char* what) {
    return Error{ErrorCode::Internal, what, options.program.string(), "run: " + command};
  };
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return failed("the peer could not be started");
  std::string output;
  std::array<char, 4096> block;
  while (const size_t count = std::fread(block.data(), 1, block.size(), pipe)) {
    output.append(block.data(), count);
  }
  if (::pclose(pipe) != 0) return failed("the peer failed");
  const auto results = nlohmann::json::parse(output, nullptr, /*allow_exceptions=*/false);
  if (!results.is_array() || results.size() != 1 || !results[0].contains("avg_ts") ||
      !results[0]["avg_ts"].is_number()) {
    return failed("the peer's output is not what it used to be");
  }
  return results[0]["avg_ts"].get<double>();
}

}  // namespace tinyarms::bench
