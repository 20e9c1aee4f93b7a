#include "engine/snapshots/snapshot_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "base/sha256.h"
#include "engine/snapshots/private_file.h"
#include "engine/snapshots/snapshot_worth.h"

namespace tinyarms::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".prefix";
constexpr double kAgeMin = 60;  // seconds; younger ones count as equally young

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

Result<SnapshotFolder::Front> SnapshotFolder::open_front(const Descriptor& file,
                                                         const fs::path& path) const {
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
  return Front{std::move(*head), std::move(*front), bytes, facts->st_ino,
               seconds_of(facts->st_mtim)};
}

Result<SnapshotFolder::Entry> SnapshotFolder::read_entry(const std::string& name) const {
  const Descriptor file(open_to_read(path_of(name)));
  auto front = open_front(file, path_of(name));
  if (!front) return front.error();
  return Entry{std::move(front->head), front->bytes, front->inode, front->used_at};
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

Result<SnapshotFolder::Loaded> SnapshotFolder::load(const fs::path& path) const {
  const Descriptor file(open_to_read(path));
  auto opened = open_front(file, path);
  if (!opened) return opened.error();
  Loaded loaded{std::move(opened->head), std::move(opened->front), 0};
  loaded.state_at = loaded.file.size();
  loaded.file.resize(opened->bytes);
  auto done = read_exactly(file, loaded.file.data() + loaded.state_at,
                           loaded.file.size() - loaded.state_at, path);
  if (!done) return done.error();
  const std::string_view all = loaded.file;
  if (!is_state_whole(all.substr(0, loaded.state_at), loaded.state())) {
    return Error{ErrorCode::Corrupt, "was changed since it was written", "", ""};
  }
  ::futimens(file.get(), nullptr);  // used now; where that fails, it only goes earlier
  return loaded;
}

Result<SnapshotFolder::Loaded> SnapshotFolder::read(const std::string& name) {
  const fs::path path = path_of(name);
  auto loaded = load(path);
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

uint64_t SnapshotFolder::bytes_known() const {
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
    const bool covered = covers(head, old);
    const double age = std::max(now - entry.used_at, kAgeMin);
    const double worth = covered ? -1 : worth_keeping(old, entry.bytes, age);
    if (!worst.empty() && worth >= least) continue;
    worst = name;
    least = worth;
  }
  return worst;
}

void SnapshotFolder::forget(const std::string& name) {
  contents_.usable.erase(name);
  contents_.unusable.erase(name);
}

void SnapshotFolder::remove(const std::vector<std::string>& names) const {
  for (const std::string& name : names) ::unlink(path_of(name).c_str());
}

void SnapshotFolder::make_room(const SnapshotHead& head, uint64_t bytes) {
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(mutex_);
    while (bytes_known() + bytes > options_.bytes_max) {
      gone.push_back(first_to_go(head));
      forget(gone.back());
    }
  }
  remove(gone);
}

void SnapshotFolder::remove_covered(const SnapshotHead& head, const std::string& by) {
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, old] : contents_.usable) {
      if (name != by && covers(head, old.head)) gone.push_back(name);
    }
    for (const std::string& name : gone) forget(name);
  }
  remove(gone);
}

Result<void> SnapshotFolder::write(SnapshotHead head, std::string_view state) {
  head.created_at = clock_.wall_seconds();
  const std::string front = seal_snapshot(head, state, key_);
  const uint64_t bytes = front.size() + state.size();
  if (auto there = provide_folder(options_.folder); !there) return there;
  refresh();
  const std::lock_guard changing(disk_mutex_);
  if (bytes > options_.bytes_max) {
    return Error{ErrorCode::OverBudget,
                 fmt::format("a snapshot of {} tokens takes {} bytes", head.tokens.size(),
                             bytes),
                 options_.folder.string(), "raise prefix.disk_limit"};
  }
  make_room(head, bytes);
  const std::string name = name_of(head);
  const std::string_view pieces[] = {front, state};
  if (auto written = write_file_atomically(path_of(name), pieces); !written) return written;
  auto entry = read_entry(name);
  if (!entry) return entry.error();
  remove_covered(head, name);
  const std::lock_guard lock(mutex_);
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
  return bytes_known();
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
      return file_failure(ErrorCode::Io, path_of(name), errno);
    }
    forget(name);
  }
  return count;
}

}  // namespace tinyarms::engine
