#include "corpus/tree_list.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <ctime>
#include <algorithm>

#include "corpus/chunk.h"
#include "corpus/roots.h"
#include "scan/walker.h"

namespace tinyarms::corpus {
namespace {

// The walker asks for a language; every file has one here.
constexpr rules::Language kAnyText = {.name = "text",
                                      .title = "Text",
                                      .aliases = "",
                                      .endings = "",
                                      .expando = "",
                                      .grammar = nullptr,
                                      .prelude = ""};

constexpr int64_t kSecond = 1'000'000'000;
// A file that changed this shortly before it was looked at may change again within one tick of the
// file system's clock.
constexpr int64_t kTick = kSecond / 20;

int64_t nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

class Lister {
 public:
  Lister(const std::string& root, const std::filesystem::path& own_folder)
      : root_(root), own_folder_(own_folder.string()) {}

  Result<TreeList> run(const Environment& environment, const StopFlag& stop) {
    scan::WalkOptions options;
    options.paths = {root_};
    options.ignores.anywhere = true;
    const scan::WalkCallbacks callbacks{
        .language_of = [](std::string_view) { return &kAnyText; },
        .visit = [this](unsigned, const scan::WalkedFile& file) {
          visit(file.path);
          return scan::FileReport{};
        },
        .emit = [this](scan::FileReport& report) { note(report); },
        .enter = [this](const std::string& path) { return enter(path); },
        .passed_over = [this](const std::string& path, bool is_folder,
                              scan::PassedOver why) { pass_over(path, is_folder, why); }};
    list_.folders.push_back(root_);
    if (auto walked = scan::walk(options, environment, callbacks, stop); !walked) {
      return walked.error();
    }
    std::sort(list_.files.begin(), list_.files.end(),
              [](const ListedFile& a, const ListedFile& b) { return a.path < b.path; });
    return std::move(list_);
  }

 private:
  void count(LeftOut reason) { ++list_.left_out[static_cast<size_t>(reason)]; }

  bool enter(const std::string& path) {
    if (is_vendored_folder(path) || path == own_folder_) return false;
    list_.folders.push_back(path);
    return true;
  }

  void pass_over(const std::string& path, bool is_folder, scan::PassedOver why) {
    switch (why) {
      case scan::PassedOver::Ignored: return count(LeftOut::Ignored);
      case scan::PassedOver::Hidden: return count(LeftOut::Hidden);
      case scan::PassedOver::Link: return count(LeftOut::Link);
      case scan::PassedOver::Unwanted:
        if (is_folder && path != own_folder_) count(LeftOut::Vendored);
        return;
    }
  }

  void visit(const std::string& path) {
    if (const auto secret = secret_name(path)) {
      list_.secrets.push_back({path, *secret});
      return count(LeftOut::Secret);
    }
    if (const auto reason = leave_out_file(path)) return count(*reason);
    ListedFile file{.path = path, .stamp = {}, .bytes = 0};
    file.stamp = stamp_of_file(path, &file.bytes);
    if (file.stamp.empty()) return;  // gone again
    list_.files.push_back(std::move(file));
  }

  void note(const scan::FileReport& report) {
    if (!report.skip) return;
    count(LeftOut::Unreadable);
    list_.unreadable.push_back(fmt::format("{}: {}", report.path, report.skip->detail));
  }

  const std::string root_;
  const std::string own_folder_;
  TreeList list_;
};

}  // namespace

std::string stamp_of_file(const std::string& path, uint64_t* bytes) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return {};
  if (bytes != nullptr) *bytes = static_cast<uint64_t>(facts.st_size);
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const bool fresh = nanoseconds(now) - nanoseconds(facts.st_ctim) < kTick;
  return fmt::format("{} {} {} {} {}{}", kChunkVersion, facts.st_size,
                     nanoseconds(facts.st_mtim), nanoseconds(facts.st_ctim), facts.st_ino,
                     fresh ? fmt::format(" fresh at {}", nanoseconds(now)) : std::string());
}

Result<TreeList> list_tree(const std::string& root, const std::filesystem::path& own_folder,
                           const Environment& environment, const StopFlag& stop) {
  struct stat facts {};
  if (::stat(root.c_str(), &facts) != 0) {
    return Error{ErrorCode::NotFound, "there is no such file or folder", root,
                 "if it is gone for good: tinyarms index rm PATH"};
  }
  return Lister(root, own_folder).run(environment, stop);
}

}  // namespace tinyarms::corpus
