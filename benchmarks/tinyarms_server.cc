#include "tinyarms_server.h"

#include <fmt/format.h>

#include "base/file.h"

namespace tinyarms::bench {

Result<std::unique_ptr<LocalServer>> start_tinyarms(const std::filesystem::path& program,
                                                    int engine_port,
                                                    const std::filesystem::path& folder,
                                                    const std::vector<std::string>& flags) {
  const auto config = folder / "config" / "tinyarms" / "config.toml";
  std::error_code problem;
  std::filesystem::create_directories(config.parent_path(), problem);
  const std::string text =
      fmt::format("offline = false\nl4.url = \"http://127.0.0.1:{}/v1\"\nl4.model = \"mock\"\n",
                  engine_port);
  if (auto written = write_file_atomically(config, text); !written) return written.error();
  const int port = free_port();
  LocalServer::Options options{
      .command = {program.string(), "serve", "--port", std::to_string(port)},
      .environment = {{"HOME", folder.string()},
                      {"XDG_CONFIG_HOME", (folder / "config").string()},
                      {"XDG_DATA_HOME", (folder / "data").string()},
                      {"XDG_STATE_HOME", (folder / "state").string()},
                      {"XDG_CACHE_HOME", (folder / "cache").string()}},
      .port = port,
      .ready_path = "/health",
      .hint = "build the target tinyarms first"};
  options.command.insert(options.command.end(), flags.begin(), flags.end());
  return LocalServer::start(options);
}

}  // namespace tinyarms::bench
