#include "python_peer.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace tinyarms::bench {
namespace {

Error failed(std::string what) {
  return Error{ErrorCode::Internal, std::move(what), "TINYARMS_BENCH_PYTHON",
               "see docs/embeddings.md for the packages it needs"};
}

}  // namespace

Result<std::unique_ptr<PythonPeer>> PythonPeer::start(const std::string& script,
                                                      const std::vector<std::string>& arguments) {
  const char* python = std::getenv("TINYARMS_BENCH_PYTHON");
  if (python == nullptr || *python == '\0') return std::unique_ptr<PythonPeer>();
  std::signal(SIGPIPE, SIG_IGN);
  const std::string path = std::string(TINYARMS_BENCH_SOURCE) + "/benchmarks/" + script;
  std::vector<const char*> command = {python, path.c_str()};
  for (const std::string& argument : arguments) command.push_back(argument.c_str());
  command.push_back(nullptr);
  int to[2], from[2];
  if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) return failed("no pipe");
  const pid_t process = ::fork();
  if (process < 0) return failed("the peer could not be started");
  if (process == 0) {
    ::dup2(to[0], STDIN_FILENO);
    ::dup2(from[1], STDOUT_FILENO);
    ::execvp(python, const_cast<char* const*>(command.data()));
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  std::unique_ptr<PythonPeer> peer(
      new PythonPeer(process, ::fdopen(to[1], "w"), ::fdopen(from[0], "r")));
  if (auto greeting = peer->read_line(); !greeting) return greeting.error();
  return Result<std::unique_ptr<PythonPeer>>(std::move(peer));
}

PythonPeer::~PythonPeer() {
  std::fclose(to_);
  std::fclose(from_);
  ::waitpid(process_, nullptr, 0);
}

Result<nlohmann::json> PythonPeer::ask(const nlohmann::json& request) {
  const std::string line = request.dump() + "\n";
  if (std::fwrite(line.data(), 1, line.size(), to_) != line.size() || std::fflush(to_) != 0) {
    return failed("the peer is gone");
  }
  return read_line();
}

Result<nlohmann::json> PythonPeer::read_line() {
  char* line = nullptr;
  size_t room = 0;
  const ssize_t length = ::getline(&line, &room, from_);
  auto json = length > 0 ? nlohmann::json::parse(line, line + length, nullptr, false)
                         : nlohmann::json(nlohmann::json::value_t::discarded);
  std::free(line);
  if (!json.is_object()) return failed("the peer failed");
  return json;
}

}  // namespace tinyarms::bench
