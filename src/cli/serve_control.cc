#include "cli/serve_control.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "resident/client.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr uintmax_t kLogBytesMax = 1 << 20;  // then it is set aside at the next start

std::string moment_text(double seconds) {
  const auto moment = static_cast<time_t>(seconds);
  struct tm parts {};
  ::localtime_r(&moment, &parts);
  char text[64];
  return {text, ::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts)};
}

std::string word(const Json& facts, const char* name) {
  return facts.contains(name) && facts[name].is_string() ? facts[name].get<std::string>() : "";
}

// What anybody wants to know who starts one or looks at one.
void describe(const Json& facts, const Terminal& terminal) {
  const std::string url = word(facts, "url");
  const std::string socket = word(facts, "socket");
  if (!url.empty()) terminal.note(printable(fmt::format("  {} (OpenAI base URL {}/v1)", url, url)));
  if (!socket.empty()) terminal.note(printable("  " + socket));
  const std::string log = word(facts, "log");
  if (!log.empty()) terminal.note(printable("  log: " + log));
  terminal.note("  tinyarms serve --stop ends it");
}

void show_running(const ServeOptions& options, const Json& facts, const Terminal& terminal) {
  if (options.json) {
    Json shown = {{"running", true}};
    shown["server"] = facts;
    return terminal.out(shown.dump() + "\n");
  }
  terminal.note(printable(fmt::format(
      "a server of yours runs: process {}, tinyarms {}, since {}", facts.value("pid", 0),
      word(facts, "version"), moment_text(facts.value("since", 0.0)))));
  describe(facts, terminal);
}

bool none_runs(const Error& error) {
  return error.code == ErrorCode::NotFound || error.what.ends_with("has gone");
}

// The old one stays beside it, once.
void set_log_aside(const std::filesystem::path& log) {
  std::error_code problem;
  const auto bytes = std::filesystem::file_size(log, problem);
  if (problem || bytes < kLogBytesMax) return;
  std::filesystem::rename(log, log.string() + ".1", problem);
}

// What the second process has said, until it closes its end.
std::string read_all(int descriptor, const StopFlag& stop, pid_t child) {
  std::string text;
  char block[4096];
  bool passed_on = false;
  while (true) {
    const ssize_t got = ::read(descriptor, block, sizeof block);
    if (got > 0) text.append(block, static_cast<size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR)) return text;
    if (got < 0 && stop.raised() && !std::exchange(passed_on, true)) ::kill(child, SIGTERM);
  }
}

}  // namespace

std::filesystem::path serve_log(const Paths& paths) { return paths.cache_dir / "serve.log"; }

void show_server(const ServeOptions& options, Context& context) {
  const resident::Client client(context.sources.environment, context.paths);
  auto facts = client.facts();
  if (facts) return show_running(options, *facts, context.terminal());
  if (!none_runs(facts.error())) return context.fail(facts.error(), options.json);
  if (options.json) {
    context.terminal().out(Json{{"running", false}}.dump() + "\n");
  } else {
    context.terminal().note("no server of yours runs (tinyarms serve --detach starts one)");
  }
  context.exit = Exit::Failed;
}

void stop_server(const ServeOptions& options, Context& context) {
  const resident::Client client(context.sources.environment, context.paths);
  const Terminal terminal = context.terminal();
  auto ended = client.stop_server([&] {
    terminal.status("finishing what is under way …");
    return !context.stop.raised();
  });
  terminal.status("");
  if (!ended && !none_runs(ended.error())) return context.fail(ended.error(), options.json);
  const bool stopped = ended && *ended;
  if (ended && !*ended) context.exit = Exit::Interrupted;
  if (options.json) {
    terminal.out(Json{{"running", ended && !*ended}, {"stopped", stopped}}.dump() + "\n");
  } else {
    terminal.note(!ended    ? "no server of yours runs"
                  : stopped ? "stopped"
                            : "not waited for: it ends when what is under way is finished");
  }
}

std::optional<Detachment> Detachment::begin(const ServeOptions& options, Context& context) {
  const resident::Client client(context.sources.environment, context.paths);
  if (auto facts = client.facts()) {
    context.terminal().note("nothing was started; its options stay as they are");
    show_running(options, *facts, context.terminal());
    return std::nullopt;
  }
  int ends[2];
  const bool joined = ::pipe2(ends, O_CLOEXEC) == 0;
  const pid_t child = joined ? ::fork() : -1;
  if (child < 0) {
    context.fail({ErrorCode::Io, std::strerror(errno), "serve --detach", ""}, options.json);
    return std::nullopt;
  }
  if (child == 0) {
    ::close(ends[0]);
    ::setsid();  // no terminal's signals reach it
    return Detachment(serve_log(context.paths), std::make_shared<Descriptor>(ends[1]));
  }
  ::close(ends[1]);
  const Descriptor reading(ends[0]);
  const std::string said = read_all(reading.get(), context.stop, child);
  const Json facts = Json::parse(said, nullptr, false);
  if (context.stop.raised()) {
    context.exit = Exit::Interrupted;  // and it was told so
    return std::nullopt;
  }
  if (!facts.is_object()) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    context.exit = code != 0 ? static_cast<Exit>(code) : Exit::Failed;
    return std::nullopt;
  }
  if (options.json) {
    context.terminal().out(facts.dump() + "\n");
  } else {
    context.terminal().note(fmt::format("serving in the background: process {}", child));
    describe(facts, context.terminal());
  }
  return std::nullopt;
}

Result<void> Detachment::complete(const nlohmann::ordered_json& facts) {
  std::error_code ignored;  // opening it says what is wrong
  std::filesystem::create_directories(log_.parent_path(), ignored);
  set_log_aside(log_);
  const Descriptor log(::open(log_.c_str(),
                              O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (log.get() < 0) return Error{ErrorCode::Io, std::strerror(errno), log_.string(), ""};
  nlohmann::ordered_json told = facts;
  told["pid"] = ::getpid();
  const std::string text = told.dump();
  const bool heard = ::write(waiting_->get(), text.data(), text.size()) ==
                     static_cast<ssize_t>(text.size());
  if (!heard) return Error{ErrorCode::Io, "nobody waits for it any more", "serve --detach", ""};
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  ::dup2(nothing.get(), STDIN_FILENO);
  ::dup2(log.get(), STDOUT_FILENO);
  ::dup2(log.get(), STDERR_FILENO);
  waiting_.reset();
  return {};
}

}  // namespace tinyarms::cli
