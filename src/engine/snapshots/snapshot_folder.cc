#include "engine/snapshots/snapshot_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/sha256.h"

namespace tinyarms::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".prefix";
constexpr std::string_view kPartial = ".partial-";
constexpr size_t kKeyBytes = 32;
constexpr double kAgeMin = 60;  // seconds; younger ones count as equally young

Error system_error(ErrorCode code, const fs::path& path, int number) {
  return Error{code, std::strerror(number), path.string(), "check its permissions and the disk"};
}

bool is_private(const struct stat& facts) {
  return facts.st_uid == ::geteuid() && (facts.st_mode & 077) == 0;
}

Result<void> provide_folder(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder.parent_path(), problem);
  if (problem) return system_error(ErrorCode::Io, folder.parent_path(), problem.value());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_error(ErrorCode::Io, folder, errno);
  }
  struct stat facts {};
  if (::lstat(folder.c_str(), &facts) != 0) return system_error(ErrorCode::Io, folder, errno);
  if (S_ISDIR(facts.st_mode) && is_private(facts)) return {};
  return Error{ErrorCode::Config, "is no folder that this user alone may enter", folder.string(),
               fmt::format("chmod 700 {}", folder.string())};
}

// Opened for reading, a plain file of this user that nobody else may touch.
Result<struct stat> check_file(const Descriptor& file, const fs::path& path) {
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0) {
    const auto code = errno == ENOENT ? ErrorCode::NotFound : ErrorCode::Io;
    return system_error(code, path, errno);
  }
  if (S_ISREG(facts.st_mode) && is_private(facts)) return facts;
  return Error{ErrorCode::Io, "is no plain file that this user alone may read", path.string(), ""};
}

int open_to_read(const fs::path& path) {
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

Result<void> read_exactly(const Descriptor& file, char* to, size_t count, const fs::path& path) {
  while (count > 0) {
    const ssize_t got = ::read(file.get(), to, count);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(ErrorCode::Io, path, errno);
    if (got == 0) return Error{ErrorCode::Corrupt, "ends too early", path.string(), ""};
    to += got;
    count -= static_cast<size_t>(got);
  }
  return {};
}

// Everything before the state, believed only where its seal fits.
Result<std::string> read_front(const Descriptor& file, uint64_t file_bytes, const fs::path& path) {
  std::string front(std::min<uint64_t>(kSnapshotHeadBytes, file_bytes), '\0');
  if (auto done = read_exactly(file, front.data(), front.size(), path); !done) return done.error();
  auto wanted = snapshot_front_bytes(front, file_bytes);
  if (!wanted) return wanted.error();
  const size_t have = front.size();
  front.resize(*wanted);
  if (auto done = read_exactly(file, front.data() + have, front.size() - have, path); !done) {
    return done.error();
  }
  return front;
}

Result<std::string> provide_key(const fs::path& path) {
  {
    const Descriptor file(open_to_read(path));
    auto facts = check_file(file, path);
    if (facts) {
      std::string key(kKeyBytes, '\0');
      if (auto done = read_exactly(file, key.data(), key.size(), path); !done) {
        return Error{ErrorCode::Config, "is no key", path.string(),
                     "delete it: another is made, and the snapshots of before are not used"};
      }
      return key;
    }
    if (facts.error().code != ErrorCode::NotFound) return facts.error();
  }
  std::string key(kKeyBytes, '\0');
  if (::getentropy(key.data(), key.size()) != 0) {
    return system_error(ErrorCode::Io, path, errno);
  }
  PendingFile pending(path);
  if (auto written = write_file_atomically(pending.path(), key); !written) return written.error();
  auto placed = pending.commit_new();
  if (!placed) return placed.error();
  return *placed ? key : provide_key(path);  // another process was quicker
}

bool process_lives(std::string_view digits) {
  pid_t pid = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), pid);
  return pid > 0 && (::kill(pid, 0) == 0 || errno == EPERM);
}

void sweep_half_written(const fs::path& folder) {
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(folder, problem)) {
    const std::string name = entry.path().filename().string();
    const size_t at = name.find(kPartial);
    if (at == std::string::npos || process_lives(name.substr(at + kPartial.size()))) continue;
    std::error_code ignored;
    fs::remove(entry.path(), ignored);
  }
}

size_t length_alike(std::span<const int32_t> a, std::span<const int32_t> b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                             a.begin());
}

double seconds_of(const struct timespec& time) {
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

Result<std::unique_ptr<SnapshotFolder>> SnapshotFolder::open(SnapshotFolderOptions options,
                                                             const Clock& clock) {
  if (auto made = provide_folder(options.folder); !made) return made.error();
  auto key = provide_key(options.key_file);
  if (!key) return key.error();
  sweep_half_written(options.folder);
  return std::unique_ptr<SnapshotFolder>(
      new SnapshotFolder(std::move(options), clock, std::move(*key)));
}

SnapshotFolder::SnapshotFolder(SnapshotFolderOptions options, const Clock& clock, std::string key)
    : options_(std::move(options)), clock_(clock), key_(std::move(key)) {}

std::string SnapshotFolder::scope_tag(const std::string& scope) const {
  return hmac_sha256_hex(key_, "scope:" + scope);
}

// By what it holds, in a way that lets nobody try guesses at the prompt.
std::string SnapshotFolder::name_of(const SnapshotHead& head) const {
  std::string content = head.binding + head.scope;
  content.append(reinterpret_cast<const char*>(head.tokens.data()),
                 head.tokens.size() * sizeof(int32_t));
  return hmac_sha256_hex(key_, content).substr(0, 32) + std::string(kSuffix);
}

Result<SnapshotFolder::Entry> SnapshotFolder::read_entry(const std::string& name) const {
  const fs::path path = path_of(name);
  const Descriptor file(open_to_read(path));
  auto facts = check_file(file, path);
  if (!facts) return facts.error();
  const auto bytes = static_cast<uint64_t>(facts->st_size);
  if (bytes > options_.bytes_max) {
    return Error{ErrorCode::OverBudget, "is larger than all of them may be", path.string(), ""};
  }
  auto front = read_front(file, bytes, path);
  if (!front) return front.error();
  auto head = open_snapshot_front(*front, key_);
  if (!head) return head.error();
  return Entry{std::move(*head), bytes, facts->st_ino, seconds_of(facts->st_mtim)};
}

// Damage is removed; what may be somebody's is only passed over.
void SnapshotFolder::refuse(const std::string& name, const Error& error) {
  if (error.code == ErrorCode::NotFound) return;
  const bool damaged = error.code == ErrorCode::Corrupt;
  if (damaged) ::unlink(path_of(name).c_str());
  {
    const std::lock_guard lock(mutex_);
    if (damaged) told_.erase(name);
    if (!damaged && !told_.insert(name).second) return;
  }
  if (!options_.on_notice) return;
  options_.on_notice(fmt::format("prefix snapshot {} {}; {}", path_of(name).string(), error.what,
                                 damaged ? "it was removed" : "it is not used"));
}

void SnapshotFolder::refresh() {
  const std::lock_guard changing(disk_mutex_);
  Contents known;
  {
    const std::lock_guard lock(mutex_);
    known = contents_;
  }
  Contents now;
  std::error_code problem;
  for (const auto& item : fs::directory_iterator(options_.folder, problem)) {
    const std::string name = item.path().filename().string();
    struct stat facts {};
    if (!name.ends_with(kSuffix) || ::lstat(item.path().c_str(), &facts) != 0) continue;
    const auto bytes = static_cast<uint64_t>(facts.st_size);
    const auto before = known.usable.find(name);
    if (before != known.usable.end() && before->second.inode == facts.st_ino &&
        before->second.bytes == bytes && is_private(facts)) {
      before->second.used_at = seconds_of(facts.st_mtim);
      now.usable.insert(known.usable.extract(before));
      continue;
    }
    auto entry = read_entry(name);
    if (entry) {
      now.usable.emplace(name, std::move(*entry));
    } else {
      refuse(name, entry.error());
      if (::lstat(item.path().c_str(), &facts) == 0) now.unusable.emplace(name, bytes);
    }
  }
  const std::lock_guard lock(mutex_);
  contents_ = std::move(now);
}

std::optional<SnapshotFolder::Match> SnapshotFolder::find(const std::string& binding,
                                                          const std::string& scope_tag,
                                                          std::span<const int32_t> tokens) const {
  const std::lock_guard lock(mutex_);
  std::optional<Match> best;
  for (const auto& [name, entry] : contents_.usable) {
    if (entry.head.binding != binding || entry.head.scope != scope_tag) continue;
    const size_t length = length_alike(entry.head.tokens, tokens);
    if (length == 0) continue;
    if (best && (length < best->length ||
                 (length == best->length && entry.bytes >= best->bytes))) {
      continue;
    }
    best = Match{.name = name,
                 .length = length,
                 .tokens = entry.head.tokens.size(),
                 .bytes = entry.bytes,
                 .seconds = entry.head.seconds};
  }
  return best;
}

Result<SnapshotFolder::Loaded> SnapshotFolder::read(const std::string& name) {
  const fs::path path = path_of(name);
  const auto load = [&]() -> Result<Loaded> {
    const Descriptor file(open_to_read(path));
    auto facts = check_file(file, path);
    if (!facts) return facts.error();
    const auto bytes = static_cast<uint64_t>(facts->st_size);
    if (bytes > options_.bytes_max) {
      return Error{ErrorCode::OverBudget, "is larger than all of them may be", "", ""};
    }
    auto front = read_front(file, bytes, path);
    if (!front) return front.error();
    auto head = open_snapshot_front(*front, key_);
    if (!head) return head.error();
    Loaded loaded{std::move(*head), std::move(*front), 0};
    loaded.state_at = loaded.file.size();
    loaded.file.resize(bytes);
    auto done = read_exactly(file, loaded.file.data() + loaded.state_at,
                             bytes - loaded.state_at, path);
    if (!done) return done.error();
    const std::string_view all = loaded.file;
    if (!is_state_whole(all.substr(0, loaded.state_at), loaded.state())) {
      return Error{ErrorCode::Corrupt, "was changed since it was written", "", ""};
    }
    ::futimens(file.get(), nullptr);  // used now; where that fails, it only goes earlier
    return loaded;
  };
  auto loaded = load();
  if (!loaded) refuse(name, loaded.error());
  const std::lock_guard lock(mutex_);
  const auto known = contents_.usable.find(name);
  if (known == contents_.usable.end()) return loaded;
  if (loaded) {
    known->second.used_at = clock_.wall_seconds();
  } else {
    if (loaded.error().code != ErrorCode::NotFound && loaded.error().code != ErrorCode::Corrupt) {
      contents_.unusable.emplace(name, known->second.bytes);
    }
    contents_.usable.erase(known);
  }
  return loaded;
}

uint64_t SnapshotFolder::bytes_locked() const {
  uint64_t sum = 0;
  for (const auto& [name, entry] : contents_.usable) sum += entry.bytes;
  for (const auto& [name, bytes] : contents_.unusable) sum += bytes;
  return sum;
}

// What is of no use, then what the new one holds too, then what is worth least: the seconds that
// computing it again takes, by byte, over the time since it was used.
std::string SnapshotFolder::first_to_go(const SnapshotHead& head) const {
  if (!contents_.unusable.empty()) return contents_.unusable.begin()->first;
  const double now = clock_.wall_seconds();
  std::string worst;
  double least = 0;
  for (const auto& [name, entry] : contents_.usable) {
    const SnapshotHead& old = entry.head;
    const bool covered = old.binding == head.binding && old.scope == head.scope &&
                         length_alike(old.tokens, head.tokens) == old.tokens.size();
    const double age = std::max(now - entry.used_at, kAgeMin);
    const double worth =
        covered ? -1 : old.seconds / static_cast<double>(std::max<uint64_t>(entry.bytes, 1)) / age;
    if (!worst.empty() && worth >= least) continue;
    worst = name;
    least = worth;
  }
  return worst;
}

void SnapshotFolder::remove(const std::string& name) {
  ::unlink(path_of(name).c_str());
  contents_.usable.erase(name);
  contents_.unusable.erase(name);
}

bool SnapshotFolder::make_room(const SnapshotHead& head, uint64_t bytes) {
  if (bytes > options_.bytes_max) return false;
  const std::lock_guard lock(mutex_);
  while (bytes_locked() + bytes > options_.bytes_max) remove(first_to_go(head));
  return true;
}

Result<void> SnapshotFolder::write(const SnapshotHead& head, std::string file) {
  seal_snapshot(file, head, key_);
  if (auto there = provide_folder(options_.folder); !there) return there;
  refresh();
  const std::lock_guard changing(disk_mutex_);
  if (!make_room(head, file.size())) {
    return Error{ErrorCode::OverBudget,
                 fmt::format("a snapshot of {} tokens takes {} bytes", head.tokens.size(),
                             file.size()),
                 options_.folder.string(), "raise prefix.disk_limit"};
  }
  const std::string name = name_of(head);
  if (auto written = write_file_atomically(path_of(name), file); !written) return written;
  auto entry = read_entry(name);
  if (!entry) return entry.error();
  const std::lock_guard lock(mutex_);
  std::vector<std::string> covered;
  for (const auto& [other, old] : contents_.usable) {
    if (other != name && old.head.binding == head.binding && old.head.scope == head.scope &&
        length_alike(old.head.tokens, head.tokens) == old.head.tokens.size()) {
      covered.push_back(other);
    }
  }
  for (const std::string& other : covered) remove(other);
  contents_.usable.insert_or_assign(name, std::move(*entry));
  return {};
}

std::vector<StoredSnapshot> SnapshotFolder::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<StoredSnapshot> all;
  for (const auto& [name, entry] : contents_.usable) {
    all.push_back({name, entry.head, entry.bytes, entry.used_at});
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.used_at > b.used_at; });
  return all;
}

uint64_t SnapshotFolder::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_locked();
}

Result<size_t> SnapshotFolder::clear() {
  refresh();
  const std::lock_guard changing(disk_mutex_);
  const std::lock_guard lock(mutex_);
  size_t count = 0;
  for (Contents* all = &contents_; !all->usable.empty() || !all->unusable.empty(); ++count) {
    const std::string name =
        all->usable.empty() ? all->unusable.begin()->first : all->usable.begin()->first;
    if (::unlink(path_of(name).c_str()) != 0 && errno != ENOENT) {
      return system_error(ErrorCode::Io, path_of(name), errno);
    }
    remove(name);
  }
  return count;
}

}  // namespace tinyarms::engine
