#include "engine/load_probe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <llama.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <string>

#include "base/descriptor.h"
#include "engine/llama_backend.h"
#include "engine/model_facts.h"
#include "engine/plausible.h"

namespace tinyarms::engine {
namespace {

constexpr int kProbePollMs = 50;
constexpr int kLoaded = 0;
constexpr int kRefused = 3;

// Runs in the child and ends it. What the engine said goes through `report`.
[[noreturn]] void load_in_child(const std::filesystem::path& path, int report) {
  signal(SIGINT, SIG_IGN);  // the parent hears it, and ends the child
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nowhere, stream);
  std::string words;
  try {
    prepare_backend();
    forget_last_words();
    llama_model_params parameters = llama_model_default_params();
    parameters.n_gpu_layers = 0;
    parameters.load_mode = LLAMA_LOAD_MODE_MMAP;
    if (llama_model_load_from_file(path.c_str(), parameters) != nullptr) ::_exit(kLoaded);
    words = last_words();
  } catch (const std::exception& problem) {
    words = problem.what();
  }
  const ssize_t told = ::write(report, words.data(), words.size());
  ::_exit(told >= 0 ? kRefused : kRefused + 1);
}

Error bad_load(const std::filesystem::path& path, std::string what) {
  return Error{ErrorCode::Corrupt, std::move(what), path.string(),
               "fetch the model again, or use another one"};
}

class ProbeChild {
 public:
  explicit ProbeChild(pid_t id) : id_(id) {}
  ~ProbeChild() { end(); }
  ProbeChild(const ProbeChild&) = delete;
  ProbeChild& operator=(const ProbeChild&) = delete;

  void end() {
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    wait();
  }
  int wait() {
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) continue;
    id_ = 0;
    return status;
  }

 private:
  pid_t id_;
};

Result<void> probe_verdict(const std::filesystem::path& path, int status,
                           const std::string& words) {
  if (WIFSIGNALED(status)) {
    return bad_load(path, fmt::format("the engine died of it ({}) while it was loaded on trial",
                                    strsignal(WTERMSIG(status))));
  }
  const int code = WEXITSTATUS(status);
  if (code == kLoaded) return {};
  if (code != kRefused) {
    return bad_load(path, fmt::format("the engine died of it (status {}) while it was loaded on "
                                    "trial", code));
  }
  Error refused = bad_load(path, fmt::format("the engine refused it: {}", words));
  if (words.find("unknown model architecture") != std::string::npos) {
    refused.code = ErrorCode::Unsupported;
    refused.hint = "use a model of a known architecture";
  }
  return refused;
}

}  // namespace

Result<void> probe_loading(const std::filesystem::path& path, const StopFlag& stop,
                           const ProbeLimits& limits) {
  auto facts = inspect_model(path);
  if (!facts) return facts.error();
  if (auto plausible = check_plausible(*facts); !plausible) return plausible.error();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Error{ErrorCode::Io, std::strerror(errno), path.string(), "close other programs"};
  }
  Descriptor reading(ends[0]);
  pid_t id = 0;
  {
    Descriptor writing(ends[1]);
    id = ::fork();
    if (id == 0) load_in_child(path, writing.get());
  }
  if (id < 0) {
    return Error{ErrorCode::Io, std::strerror(errno), path.string(), "close other programs"};
  }
  ProbeChild child(id);
  const auto begun = std::chrono::steady_clock::now();
  std::string words;
  while (true) {
    if (stop.raised()) return Error{ErrorCode::Interrupted, "stopped", path.string(), ""};
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
    if (taken.count() > limits.seconds) {
      return bad_load(path, fmt::format("loading it on trial did not end within {:.0f} s",
                                      limits.seconds));
    }
    pollfd waiting{.fd = reading.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kProbePollMs) > 0) {
      char bytes[1024];
      const ssize_t got = ::read(reading.get(), bytes, sizeof bytes);
      if (got <= 0) break;  // the child has ended, one way or another
      words.append(bytes, static_cast<size_t>(got));
    }
  }
  return probe_verdict(path, child.wait(), words);
}

}  // namespace tinyarms::engine
