#include "sandbox/jail.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/embedded_file.h"
#include "sandbox/syscall_filter.h"

namespace tinyarms::sandbox {

std::vector<EmbeddedFile> warden_files();

namespace {

constexpr const char* kBubblewrap[] = {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"};
constexpr const char* kInterpreters[] = {"/usr/bin/python3", "/usr/local/bin/python3"};
// Descriptors of the new process: 0 to 2 as usual, 3 the channel (as warden.py knows it).
constexpr int kInfo = 4;       // bubblewrap writes here which process it started
constexpr int kFirstData = 5;  // files that bubblewrap copies into the sandbox
constexpr double kStartSeconds = 20;
constexpr uint32_t kMessageBytesMax = 256u << 20;
constexpr rlim_t kStackBytes = 64u << 20;  // deep recursion is no crime
// Above every range that distributions and container managers give away, below 2^31.
constexpr uid_t kNobodys[] = {1'900'000'000, 65534};

std::string first_of(const char* const* begin, const char* const* end) {
  for (const char* const* path = begin; path != end; ++path) {
    if (::access(*path, X_OK) == 0) return *path;
  }
  return {};
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

std::string encoded(const Jail::Message& message) {
  std::string bytes;
  const auto number = [&bytes](size_t value) {
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 0xFF);
  };
  number(message.size());
  for (const std::string& part : message) {
    number(part.size());
    bytes += part;
  }
  return bytes;
}

// Reads exactly `count` bytes before the deadline.
std::optional<std::string> read_exactly(int descriptor, size_t count, double deadline) {
  std::string bytes(count, '\0');
  size_t done = 0;
  while (done < count) {
    const double left = deadline - now();
    pollfd waiting{descriptor, POLLIN, 0};
    if (left <= 0) return std::nullopt;
    const int ready = ::poll(&waiting, 1, static_cast<int>(left * 1000) + 1);
    if (ready < 0 && errno != EINTR) return std::nullopt;
    if (ready <= 0) continue;
    const ssize_t got = ::read(descriptor, bytes.data() + done, count - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    done += static_cast<size_t>(got);
  }
  return bytes;
}

std::optional<uint32_t> read_number(int descriptor, double deadline) {
  const auto bytes = read_exactly(descriptor, 4, deadline);
  if (!bytes) return std::nullopt;
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= uint32_t{static_cast<uint8_t>((*bytes)[i])} << (8 * i);
  return value;
}

// An anonymous file with these bytes, read from its start.
std::unique_ptr<Descriptor> memory_file(std::string_view bytes) {
  auto file = std::make_unique<Descriptor>(::memfd_create("warden", MFD_CLOEXEC));
  if (::write(file->get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
      ::lseek(file->get(), 0, SEEK_SET) != 0) {
    return nullptr;
  }
  return file;
}

// From what bubblewrap wrote: {"child-pid": 1234, …}.
pid_t child_in(int info) {
  char text[64] = {};
  if (::pread(info, text, sizeof text - 1, 0) <= 0) return -1;
  const char* colon = std::strchr(text, ':');
  return colon == nullptr ? -1 : static_cast<pid_t>(std::strtol(colon + 1, nullptr, 10));
}

struct DataFile {
  std::string path;  // inside
  std::unique_ptr<Descriptor> content;
};

Result<std::vector<DataFile>> data_files() {
  std::vector<DataFile> files;
  const Error failed{ErrorCode::Io, fmt::format("no anonymous file: {}", std::strerror(errno)),
                     "sandbox", "free some memory"};
  for (const EmbeddedFile& file : warden_files()) {
    files.push_back({fmt::format("/warden/{}", file.name), memory_file(file.bytes)});
    if (files.back().content == nullptr) return failed;
  }
  for (const auto& [kind, name] : {std::pair{FilterKind::Python, "python"},
                                   std::pair{FilterKind::Toolchains, "steps"}}) {
    files.push_back({fmt::format("/warden/{}.bpf", name), memory_file("")});
    if (files.back().content == nullptr) return failed;
    const int descriptor = files.back().content->get();
    if (auto written = write_filter(kind, descriptor); !written) return written.error();
    ::lseek(descriptor, 0, SEEK_SET);
  }
  return files;
}

// What of the system is visible inside, read-only.
void add_mounts(std::vector<std::string>& arguments, const std::string& interpreter,
                bool toolchains) {
  const auto bind = [&arguments](const char* path) {
    if (::access(path, F_OK) == 0) arguments.insert(arguments.end(), {"--ro-bind", path, path});
  };
  if (toolchains || interpreter.rfind("/usr/local/", 0) == 0) {
    bind("/usr");
  } else {
    for (const char* path : {"/usr/lib", "/usr/lib64", "/usr/lib32"}) bind(path);
    arguments.insert(arguments.end(), {"--ro-bind", interpreter, interpreter});
  }
  for (const char* name : {"lib", "lib64", "bin", "sbin"}) {
    const std::string path = fmt::format("/{}", name);
    char target[256];
    const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
    if (length > 0) {
      arguments.insert(arguments.end(),
                       {"--symlink", std::string(target, static_cast<size_t>(length)), path});
    } else if (name[0] == 'l' || toolchains) {
      bind(path.c_str());
    }
  }
  for (const char* device : {"null", "zero", "full", "random", "urandom"}) {
    const std::string path = fmt::format("/dev/{}", device);
    arguments.insert(arguments.end(), {"--dev-bind", path, path});
  }
  if (!toolchains) return;
  for (const char* path : {"/etc/alternatives", "/etc/ld.so.cache", "/etc/java-11-openjdk",
                           "/etc/java-17-openjdk", "/etc/java-21-openjdk"}) {
    bind(path);
  }
  arguments.insert(arguments.end(), {"--proc", "/proc"});
}

std::vector<std::string> command_line(const std::string& bubblewrap, const std::string& interpreter,
                                      const JailOptions& options,
                                      const std::vector<DataFile>& files) {
  std::vector<std::string> arguments = {
      bubblewrap,     "--unshare-user", "--unshare-pid",   "--unshare-net",
      "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--uid", "65534", "--gid", "65534",
      "--hostname",   "sandbox",        "--clearenv",      "--new-session",
      "--as-pid-1",   "--cap-drop",     "ALL",             "--cap-add", "CAP_SYS_ADMIN",
      "--info-fd",    fmt::to_string(kInfo)};
  // The order of the hash table's strings must not depend on chance.
  for (const char* pair : {"PYTHONHASHSEED=0", "PYTHONUTF8=1", "LANG=C.UTF-8"}) {
    const std::string_view text = pair;
    const size_t equals = text.find('=');
    arguments.insert(arguments.end(), {"--setenv", std::string(text.substr(0, equals)),
                                       std::string(text.substr(equals + 1))});
  }
  add_mounts(arguments, interpreter, options.toolchains);
  for (size_t i = 0; i < files.size(); ++i) {
    arguments.insert(arguments.end(),
                     {"--ro-bind-data", fmt::to_string(kFirstData + i), files[i].path});
  }
  const Limits& limits = options.limits;
  arguments.insert(arguments.end(),
                   {"--dir", "/tmp", "--chdir", "/", "--remount-ro", "/", interpreter, "-s", "-S",
                    "-B", "/warden/warden.py", fmt::to_string(limits.scratch_bytes),
                    fmt::to_string(limits.scratch_files)});
  return arguments;
}

// What the forked child does before it becomes bubblewrap. Nothing here may allocate: another
// thread may have held the allocator's lock when the process was forked.
struct Launch {
  const char* program;
  char** arguments;
  const int* descriptors;  // become 0, 1, 2, …
  int descriptor_count;
  const int* entrances;
  int entrance_count;

  [[noreturn]] void operator()() const {
    for (int i = 0; i < entrance_count; ++i) {
      if (::write(entrances[i], "0", 1) != 1) ::_exit(120);
    }
    // Twice, because a source may be among the targets.
    constexpr int kHigh = 200;
    for (int i = 0; i < descriptor_count; ++i) ::dup2(descriptors[i], kHigh + i);
    for (int i = 0; i < descriptor_count; ++i) ::dup2(kHigh + i, i);
    ::syscall(SYS_close_range, descriptor_count, ~0u, 0);
    const rlimit stack{kStackBytes, kStackBytes};
    ::setrlimit(RLIMIT_STACK, &stack);
    if (::geteuid() == 0 && !become_nobody()) ::_exit(121);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    if (::chdir("/") != 0) ::_exit(122);
    char* environment[] = {nullptr};
    ::execve(program, arguments, environment);
    ::_exit(123);
  }

 private:
  static bool become_nobody() {
    // Raw calls: the C library's would try to tell the other threads, which fork left behind.
    if (::syscall(SYS_setgroups, 0, nullptr) != 0) return false;
    for (const uid_t id : kNobodys) {
      if (::syscall(SYS_setresgid, id, id, id) == 0 && ::syscall(SYS_setresuid, id, id, id) == 0) {
        return true;
      }
    }
    return false;
  }
};

Error no_sandbox(std::string what) {
  return {ErrorCode::Unsupported, std::move(what), "sandbox",
          "generated code runs only in a sandbox: apt install bubblewrap python3, and let "
          "unprivileged users make namespaces (sysctl kernel.unprivileged_userns_clone=1)"};
}

}  // namespace

Result<std::string> find_interpreter() {
  std::string path = first_of(std::begin(kInterpreters), std::end(kInterpreters));
  if (path.empty()) return no_sandbox("there is no python3 under /usr");
  return path;
}

Jail::Jail(const JailOptions& options)
    : group_({.memory_bytes = options.limits.memory_bytes * 2 + options.limits.scratch_bytes,
              .processes = options.limits.processes}) {}

Result<std::unique_ptr<Jail>> Jail::open(const JailOptions& options) {
  std::unique_ptr<Jail> jail(new Jail(options));
  if (auto started = jail->start(options); !started) return started.error();
  // Our copy of the far end is closed by now: if process 1 dies, this ends at once.
  const auto ready = jail->receive(kStartSeconds);
  jail->inner_ = child_in(jail->info_->get());
  if (!ready || *ready != Message{"ready"}) {
    const std::string complaint = jail->complaint();
    return no_sandbox(fmt::format("bubblewrap does not start here: {}",
                                  complaint.empty() ? "no message" : complaint));
  }
  return jail;
}

Jail::~Jail() {
  channel_.reset();  // process 1 ends when its channel does, and the kernel ends the rest with it
  if (inner_ > 0) ::kill(inner_, SIGKILL);
  if (outer_ > 0) {
    ::kill(outer_, SIGKILL);
    while (::waitpid(outer_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

Result<void> Jail::start(const JailOptions& options) {
  const std::string bubblewrap = first_of(std::begin(kBubblewrap), std::end(kBubblewrap));
  if (bubblewrap.empty()) return no_sandbox("bubblewrap (bwrap) is not installed");
  const auto interpreter = find_interpreter();
  if (!interpreter) return interpreter.error();
  auto files = data_files();
  if (!files) return files.error();

  // A file and no pipe: bubblewrap must not die of our death half-way, its child would stay.
  auto info = memory_file("");
  int channel[2], complaints[2];
  if (info == nullptr || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0 ||
      ::pipe2(complaints, O_CLOEXEC | O_NONBLOCK) != 0) {
    return Error{ErrorCode::Io, fmt::format("no pipe: {}", std::strerror(errno)), "sandbox",
                 "raise the limit of open files (ulimit -n)"};
  }
  const Descriptor far_end(channel[1]), complaint_end(complaints[1]);
  channel_ = std::make_unique<Descriptor>(channel[0]);
  complaints_ = std::make_unique<Descriptor>(complaints[0]);
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));

  std::vector<std::string> texts = command_line(bubblewrap, *interpreter, options, *files);
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  std::vector<int> descriptors = {nothing.get(), nothing.get(), complaint_end.get(),
                                  far_end.get(), info->get()};
  for (const DataFile& file : *files) descriptors.push_back(file.content->get());
  const std::vector<int> entrances = group_.entrances();
  const Launch launch{bubblewrap.c_str(),  arguments.data(), descriptors.data(),
                      static_cast<int>(descriptors.size()), entrances.data(),
                      static_cast<int>(entrances.size())};
  outer_ = ::fork();
  if (outer_ == 0) launch();
  if (outer_ < 0) {
    return Error{ErrorCode::Io, fmt::format("fork: {}", std::strerror(errno)), "sandbox",
                 "end other processes"};
  }
  info_ = std::move(info);
  return {};
}

std::optional<Jail::Message> Jail::exchange(const Message& request, double seconds_max) {
  if (!write_all(channel_->get(), encoded(request))) return std::nullopt;
  return receive(seconds_max);
}

std::optional<Jail::Message> Jail::receive(double seconds_max) {
  const double deadline = now() + seconds_max;
  const auto count = read_number(channel_->get(), deadline);
  if (!count || *count > 16) return std::nullopt;
  Message message;
  for (uint32_t i = 0; i < *count; ++i) {
    const auto size = read_number(channel_->get(), deadline);
    if (!size || *size > kMessageBytesMax) return std::nullopt;
    auto part = read_exactly(channel_->get(), *size, deadline);
    if (!part) return std::nullopt;
    message.push_back(*std::move(part));
  }
  return message;
}

std::string Jail::complaint() {
  std::string text(4096, '\0');
  const ssize_t length = ::read(complaints_->get(), text.data(), text.size());
  text.resize(length > 0 ? static_cast<size_t>(length) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const size_t last = text.rfind('\n');
  return last == std::string::npos ? text : text.substr(last + 1);
}

}  // namespace tinyarms::sandbox
