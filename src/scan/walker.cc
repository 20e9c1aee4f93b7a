#include "scan/walker.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <unordered_set>

#include "scan/work_queue.h"

namespace tinyarms::scan {
namespace {

// A folder or a file on its way through the walk. Children are written by the one worker that reads
// the folder and read by the emitter once `done` is set.
struct Entry {
  std::string path;  // as shown
  const rules::Language* language = nullptr;
  bool is_directory = false;
  bool named = false;  // on the command line
  const Entry* parent = nullptr;
  FileStamp stamp;            // of a folder, where links are followed
  IgnoreChain::Pointer chain;  // of a folder
  std::vector<std::unique_ptr<Entry>> children;
  FileReport report;
  std::atomic<bool> done{false};
};

struct Listed {
  std::string name;
  bool is_directory = false;
  bool is_file = false;
  bool is_link = false;
};

std::string join(const std::string& folder, const std::string& name) {
  if (folder == ".") return name;
  return folder.back() == '/' ? folder + name : folder + "/" + name;
}

void classify(mode_t mode, Listed& entry) {
  entry.is_directory = S_ISDIR(mode);
  entry.is_file = S_ISREG(mode);
  entry.is_link = S_ISLNK(mode);
}

// Errno, 0 where all went well.
int list_folder(const std::string& path, std::vector<Listed>& entries) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), &::closedir);
  if (folder == nullptr) return errno;
  for (;;) {
    errno = 0;
    const dirent* found = ::readdir(folder.get());
    if (found == nullptr) break;
    const std::string_view name = found->d_name;
    if (name == "." || name == "..") continue;
    Listed entry{.name = std::string(name)};
    entry.is_directory = found->d_type == DT_DIR;
    entry.is_file = found->d_type == DT_REG;
    entry.is_link = found->d_type == DT_LNK;
    struct stat facts {};
    if (found->d_type == DT_UNKNOWN && ::lstat(join(path, entry.name).c_str(), &facts) == 0) {
      classify(facts.st_mode, entry);
    }
    entries.push_back(std::move(entry));
  }
  const int problem = errno;
  std::sort(entries.begin(), entries.end(),
            [](const Listed& a, const Listed& b) { return a.name < b.name; });
  return problem;
}

class Walk {
 public:
  Walk(const WalkOptions& options, const WalkCallbacks& callbacks, const StopFlag& stop,
       IgnoreFile overrides)
      : options_(options),
        callbacks_(callbacks),
        stop_(stop),
        overrides_(std::move(overrides)),
        queue_(options.threads) {}

  void run(const Environment& environment) {
    root_.is_directory = true;
    for (const std::string& path : options_.paths) add_root(shown_path(path), environment);
    root_.done = true;
    push_children(0, root_);
    emitting_.push_back({&root_, 0});
    emit_what_is_ready();
    queue_.run([this](unsigned worker, Entry* entry) { process(worker, *entry); });
  }

 private:
  struct Emitting {
    Entry* folder;
    size_t next;
  };

  void add_root(const std::string& path, const Environment& environment) {
    if (!named_.insert(path).second) return;
    auto entry = std::make_unique<Entry>();
    entry->path = path;
    entry->named = true;
    entry->parent = &root_;
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) {
      const bool broken = ::lstat(path.c_str(), &facts) == 0 && S_ISLNK(facts.st_mode);
      skip(*entry, broken ? SkipReason::BrokenLink : SkipReason::Unreadable,
           std::strerror(ENOENT));
    } else if (S_ISDIR(facts.st_mode)) {
      entry->is_directory = true;
      entry->stamp = stamp_of(path).value_or(FileStamp{});
      entry->chain = IgnoreChain::root(path, options_.ignores, environment);
    } else {
      entry->language = callbacks_.language_of(path);
      if (entry->language == nullptr) skip(*entry, SkipReason::NoLanguage, "");
    }
    root_.children.push_back(std::move(entry));
  }

  static void skip(Entry& entry, SkipReason reason, std::string detail) {
    entry.report.path = entry.path;
    entry.report.skip = Skip{reason, std::move(detail)};
    entry.done = true;
  }

  // Newest first is what a worker takes, so the first path goes in last.
  void push_children(unsigned worker, Entry& folder) {
    for (auto child = folder.children.rbegin(); child != folder.children.rend(); ++child) {
      if (!(*child)->done) queue_.push(worker, child->get());
    }
  }

  void process(unsigned worker, Entry& entry) {
    if (!stop_.raised()) {
      if (entry.is_directory) {
        read_folder(entry);
        push_children(worker, entry);
      } else {
        entry.report = callbacks_.visit(worker, {entry.path, entry.language});
        entry.report.path = entry.path;
      }
    }
    entry.done.store(true, std::memory_order_release);
    emit_what_is_ready();
  }

  void read_folder(Entry& folder) {
    std::vector<Listed> entries;
    if (const int problem = list_folder(folder.path, entries); problem != 0) {
      folder.report.path = folder.path;
      folder.report.skip = Skip{SkipReason::Unreadable, std::strerror(problem)};
    }
    for (std::string& notice : folder.chain->notices()) {
      folder.report.path = folder.path;
      folder.report.notices.push_back(std::move(notice));
    }
    for (Listed& listed : entries) {
      if (auto child = consider(folder, listed)) folder.children.push_back(std::move(child));
    }
  }

  // The entry to walk, or nothing where it is not wanted.
  std::unique_ptr<Entry> consider(const Entry& folder, Listed& listed) {
    auto entry = std::make_unique<Entry>();
    entry->path = join(folder.path, listed.name);
    if (listed.is_link && !options_.follow_links) {
      pass_over(*entry, PassedOver::Link);
      return nullptr;
    }
    entry->parent = &folder;
    if (listed.is_link && !resolve(*entry, listed)) return entry;
    if (!listed.is_directory && !listed.is_file) return nullptr;
    entry->is_directory = listed.is_directory;
    if (!is_wanted(folder, *entry, listed)) return nullptr;
    if (named_.count(entry->path) > 0) return nullptr;  // comes by its own name
    if (entry->is_directory) {
      entry->chain = IgnoreChain::child(folder.chain, listed.name);
      if (options_.follow_links && closes_a_loop(*entry)) return entry;
    }
    return entry;
  }

  // What a link leads to; false where nowhere (the entry is a skip then).
  static bool resolve(Entry& entry, Listed& listed) {
    struct stat facts {};
    if (::stat(entry.path.c_str(), &facts) == 0) {
      classify(facts.st_mode, listed);
      return true;
    }
    skip(entry, errno == ELOOP ? SkipReason::LinkLoop : SkipReason::BrokenLink,
         std::strerror(errno));
    return false;
  }

  // A folder that is one of those it stands in; the entry is a skip then.
  static bool closes_a_loop(Entry& entry) {
    entry.stamp = stamp_of(entry.path).value_or(FileStamp{});
    for (const Entry* above = entry.parent; above != nullptr; above = above->parent) {
      if (above->stamp.inode != entry.stamp.inode || above->stamp.device != entry.stamp.device) {
        continue;
      }
      skip(entry, SkipReason::LinkLoop, "leads back to " + above->path);
      return true;
    }
    return false;
  }

  bool is_wanted(const Entry& folder, Entry& entry, const Listed& listed) {
    if (!entry.is_directory) {
      entry.language = callbacks_.language_of(entry.path);
      if (entry.language == nullptr) return false;
    }
    if (!overrides_.empty()) {
      switch (overrides_.match(entry.path, entry.is_directory)) {
        case Verdict::Included: return false;  // "!glob": the two words swap their roles
        case Verdict::Ignored: return true;
        case Verdict::None:
          if (!entry.is_directory && has_positive_glob()) return false;
          break;
      }
    }
    const Verdict verdict = folder.chain->match(listed.name, entry.is_directory);
    if (verdict == Verdict::Ignored) return pass_over(entry, PassedOver::Ignored);
    const bool hidden = entry.is_directory && !options_.hidden && listed.name.front() == '.';
    if (hidden && verdict == Verdict::None) return pass_over(entry, PassedOver::Hidden);
    if (entry.is_directory && callbacks_.enter && !callbacks_.enter(entry.path)) {
      return pass_over(entry, PassedOver::Unwanted);
    }
    return true;
  }

  bool pass_over(const Entry& entry, PassedOver why) const {
    if (callbacks_.passed_over) callbacks_.passed_over(entry.path, entry.is_directory, why);
    return false;
  }

  bool has_positive_glob() const {
    return std::any_of(options_.globs.begin(), options_.globs.end(), [](const std::string& glob) {
      return !glob.empty() && glob.front() != '!';
    });
  }

  // One thread emits at a time; one that finds it busy leaves word that there is more.
  void emit_what_is_ready() {
    if (emit_requests_.fetch_add(1) > 0) return;
    for (unsigned served = 1; served > 0;) {
      const unsigned requests = emit_requests_.load();
      advance();
      served = emit_requests_.fetch_sub(requests) - requests;
    }
  }

  void advance() {
    while (!emitting_.empty()) {
      Emitting& top = emitting_.back();
      if (top.next == top.folder->children.size()) {
        top.folder->children.clear();
        emitting_.pop_back();
        continue;
      }
      Entry& entry = *top.folder->children[top.next];
      if (!entry.done.load(std::memory_order_acquire)) return;
      ++top.next;
      if (!entry.report.path.empty()) callbacks_.emit(entry.report);
      entry.report = {};
      // What a folder's children still need of it stays until the last of them is out.
      if (!entry.children.empty()) emitting_.push_back({&entry, 0});
    }
  }

  const WalkOptions& options_;
  const WalkCallbacks& callbacks_;
  const StopFlag& stop_;
  const IgnoreFile overrides_;
  std::unordered_set<std::string> named_;
  Entry root_;
  WorkQueue<Entry*> queue_;
  std::vector<Emitting> emitting_;
  std::atomic<unsigned> emit_requests_{0};
};

}  // namespace

std::string shown_path(std::string_view path) {
  std::string shown;
  bool first = true;
  const bool absolute = !path.empty() && path.front() == '/';
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (name.empty() || name == ".") continue;
    if (!first) shown += '/';
    shown += name;
    first = false;
  }
  if (absolute) return "/" + shown;
  return shown.empty() ? "." : shown;
}

Result<void> walk(const WalkOptions& options, const Environment& environment,
                  const WalkCallbacks& callbacks, const StopFlag& stop) {
  IgnoreFile overrides;
  for (const std::string& glob : options.globs) overrides.add(glob);
  if (!overrides.notices().empty()) {
    return Error{ErrorCode::InvalidArgument, overrides.notices().front(), "--globs",
                 "the globs are those of .gitignore"};
  }
  Walk(options, callbacks, stop, std::move(overrides)).run(environment);
  return {};
}

}  // namespace tinyarms::scan
