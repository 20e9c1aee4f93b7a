#include "service/residency.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

#include "base/descriptor.h"
#include "base/file.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr size_t kResidencyBytesMax = 1 << 20;
constexpr size_t kProcBytesMax = 64 << 10;

// The system's small files say 0 for their size, so that read_file() is of no use.
std::string read_proc(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string bytes(file.get() < 0 ? 0 : kProcBytesMax, '\0');
  const ssize_t length = bytes.empty() ? 0 : ::read(file.get(), bytes.data(), bytes.size());
  bytes.resize(length > 0 ? static_cast<size_t>(length) : 0);
  return bytes;
}

std::vector<std::string> words_of(const std::string& text, char separator) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// Tells a process from another that has its number later, or had it before the machine started
// anew; empty where there is none.
std::string identity_of(int pid) {
  const std::string stat = read_proc(fmt::format("/proc/{}/stat", pid));
  const size_t name_end = stat.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return {};
  const std::vector<std::string> fields = words_of(stat.substr(name_end + 1), ' ');
  constexpr size_t kStartTime = 19;  // field 22, counted from the one after the name
  if (fields.size() <= kStartTime || fields[0] == "Z") return {};
  std::string boot = read_proc("/proc/sys/kernel/random/boot_id");
  std::erase(boot, '\n');
  return fmt::format("{} {} {}", boot, pid, fields[kStartTime]);
}

std::string command_of(int pid) {
  const auto words = words_of(read_proc(fmt::format("/proc/{}/cmdline", pid)), '\0');
  for (size_t i = 1; i < words.size(); ++i) {
    if (!words[i].starts_with('-')) return words[i];
  }
  return {};
}

std::optional<uint64_t> bytes_of(int pid) {
  const auto fields = words_of(read_proc(fmt::format("/proc/{}/statm", pid)), ' ');
  if (fields.size() < 2) return std::nullopt;
  const auto pages = std::strtoull(fields[1].c_str(), nullptr, 10);
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

constexpr std::pair<tiers::ModelKind, std::string_view> kKinds[] = {
    {tiers::ModelKind::Language, "language"},
    {tiers::ModelKind::Encoder, "encoder"},
    {tiers::ModelKind::Reranker, "reranker"},
    {tiers::ModelKind::Prefixes, "prefixes"},
};

tiers::ModelKind kind_of(const std::string& name) {
  for (const auto& [kind, known] : kKinds) {
    if (known == name) return kind;
  }
  return tiers::ModelKind::Language;
}

// Throws what nlohmann throws.
std::vector<HeldModel> parse_file(const Json& json, int pid, const Clock& clock) {
  std::vector<HeldModel> held;
  for (const Json& one : json.at("models")) {
    HeldModel model;
    model.model.file = one.at("path").get<std::string>();
    model.model.context_tokens = one.at("context_tokens").get<uint32_t>();
    model.model.bytes = one.at("bytes").get<uint64_t>();
    model.model.load_seconds = one.at("load_seconds").get<double>();
    model.model.kept = one.at("kept").get<bool>();
    // Programs of an older version do not write these.
    model.model.kind = kind_of(one.value("kind", ""));
    model.model.use = one.value("use", "");
    model.since = one.at("since").get<double>();
    model.uses = one.at("uses").get<uint64_t>();
    model.in_use = one.at("in_use").get<bool>();
    const double idle = clock.wall_seconds() - one.at("used_at").get<double>();
    model.idle_seconds = model.in_use ? 0 : std::max(idle, 0.0);
    model.pid = pid;
    held.push_back(std::move(model));
  }
  return held;
}

// Nothing where it is not such a file, or its process is gone; then the file goes too.
std::vector<HeldModel> read_one(const fs::path& path, const Clock& clock) {
  auto bytes = read_file(path, kResidencyBytesMax);
  if (!bytes) return {};
  try {
    const Json json = Json::parse(*bytes);
    const int pid = json.at("pid").get<int>();
    if (json.at("process").get<std::string>() != identity_of(pid)) {
      std::error_code ignored;
      fs::remove(path, ignored);
      return {};
    }
    std::vector<HeldModel> held = parse_file(json, pid, clock);
    const std::string command = command_of(pid);
    const auto process_bytes = bytes_of(pid);
    for (HeldModel& model : held) {
      model.command = command;
      model.process_bytes = process_bytes;
    }
    return held;
  } catch (const Json::exception&) {
    return {};
  }
}

// At once or not at all, and not flushed: it means nothing once this process is gone.
void replace_file(const fs::path& path, const std::string& bytes) {
  const fs::path temporary = path.string() + ".new";
  {
    const Descriptor file(::open(temporary.c_str(),
                                 O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) return;
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written != static_cast<ssize_t>(bytes.size())) return;
  }
  std::error_code ignored;
  fs::rename(temporary, path, ignored);
}

}  // namespace

std::string_view name_of(tiers::ModelKind kind) {
  for (const auto& [known, name] : kKinds) {
    if (known == kind) return name;
  }
  return "";
}

std::string HeldModel::name() const {
  if (model.kind != tiers::ModelKind::Prefixes) return model.file.stem().string();
  return fmt::format("{} beginning{} of prompts", uses, uses == 1 ? "" : "s");
}

fs::path residency_folder(const fs::path& cache_dir) { return cache_dir / "resident"; }

std::vector<HeldModel> held_models(const fs::path& folder, const Clock& clock) {
  std::vector<HeldModel> all;
  std::error_code problem;
  for (fs::directory_iterator it(folder, problem), end; !problem && it != end;
       it.increment(problem)) {
    if (it->path().extension() != ".json") continue;
    for (HeldModel& one : read_one(it->path(), clock)) all.push_back(std::move(one));
  }
  std::sort(all.begin(), all.end(), [](const HeldModel& a, const HeldModel& b) {
    return a.pid != b.pid ? a.pid < b.pid : a.since < b.since;
  });
  return all;
}

ResidencyFile::ResidencyFile(fs::path folder, const Clock& clock,
                             std::function<HeldPrefixes()> prefixes)
    : clock_(clock), prefixes_(std::move(prefixes)) {
  static std::atomic<int> number{0};  // a process may have several shelves
  file_ = folder / fmt::format("{}-{}.json", ::getpid(), number++);
}

ResidencyFile::~ResidencyFile() {
  std::error_code ignored;
  fs::remove(file_, ignored);
}

void ResidencyFile::loaded(uint64_t id, const tiers::ShelvedModel& model) {
  const std::lock_guard lock(mutex_);
  const double now = clock_.wall_seconds();
  entries_[id] = {.model = model, .since = now, .used_at = now};
  write();
}

void ResidencyFile::lent(uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return;
  ++entry->second.uses;
  ++entry->second.users;
  entry->second.used_at = clock_.wall_seconds();
  write();
}

void ResidencyFile::given_back(uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return;
  --entry->second.users;
  entry->second.used_at = clock_.wall_seconds();
  write();
}

void ResidencyFile::used(uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return;
  ++entry->second.uses;
  entry->second.used_at = clock_.wall_seconds();
  if (clock_.monotonic_seconds() - written_at_ >= 1) write();
}

void ResidencyFile::put_away(uint64_t id) {
  const std::lock_guard lock(mutex_);
  if (entries_.erase(id) > 0) write();
}

void ResidencyFile::swept() {
  const std::lock_guard lock(mutex_);
  if (prefixes_ && prefixes_() != written_prefixes_) write();
}

void ResidencyFile::write() {
  written_at_ = clock_.monotonic_seconds();
  written_prefixes_ = prefixes_ ? prefixes_() : HeldPrefixes{};
  std::error_code problem;
  if (entries_.empty() && written_prefixes_.count == 0) {
    fs::remove(file_, problem);
    return;
  }
  Json json = {{"pid", ::getpid()}, {"process", identity_of(::getpid())}};
  json["models"] = Json::array();
  for (const auto& [id, entry] : entries_) json["models"].push_back(entry_json(entry));
  if (written_prefixes_.count > 0) {
    const double now = clock_.wall_seconds();
    json["models"].push_back(entry_json({.model = {.bytes = written_prefixes_.bytes,
                                                   .kind = tiers::ModelKind::Prefixes},
                                         .since = now,
                                         .used_at = now,
                                         .uses = written_prefixes_.count}));
  }
  fs::create_directories(file_.parent_path(), problem);
  replace_file(file_, json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Json ResidencyFile::entry_json(const Entry& entry) {
  return {{"path", entry.model.file.string()},
          {"context_tokens", entry.model.context_tokens},
          {"bytes", entry.model.bytes},
          {"load_seconds", entry.model.load_seconds},
          {"kept", entry.model.kept},
          {"kind", name_of(entry.model.kind)},
          {"use", entry.model.use},
          {"since", entry.since},
          {"used_at", entry.used_at},
          {"uses", entry.uses},
          {"in_use", entry.users > 0}};
}

}  // namespace tinyarms::service
