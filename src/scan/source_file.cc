#include "scan/source_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "base/utf8.h"

namespace tinyarms::scan {
namespace {

constexpr size_t kProbeBytes = 8 << 10;
constexpr size_t kNulShare = 100;  // more than one NUL in so many bytes is no text

FileStamp stamp(const struct stat& facts) {
  return {.device = facts.st_dev,
          .inode = facts.st_ino,
          .bytes = static_cast<uint64_t>(facts.st_size),
          .modified_ns = facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec,
          .mode = facts.st_mode};
}

Skip unreadable(int error_number) {
  if (error_number == ELOOP) return {SkipReason::LinkLoop, std::strerror(error_number)};
  return {SkipReason::Unreadable, std::strerror(error_number)};
}

// Most code is ASCII: eight bytes at a time up to the first that is not.
size_t ascii_prefix(std::string_view text) {
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & 0x8080808080808080u) != 0) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

struct ReadPass {
  std::optional<Skip> skip;
  bool changed = false;
};

ReadPass read_once(int file, uint64_t bytes_max, SourceFile& into) {
  struct stat before {};
  if (::fstat(file, &before) != 0) return {unreadable(errno)};
  if (S_ISDIR(before.st_mode)) return {unreadable(EISDIR)};
  if (!S_ISREG(before.st_mode)) return {Skip{SkipReason::NotAFile, ""}};
  into.stamp = stamp(before);
  if (into.stamp.bytes > bytes_max) {
    return {Skip{SkipReason::TooLarge,
                 fmt::format("{} bytes, the limit is {}", into.stamp.bytes, bytes_max)}};
  }
  // One byte more than announced, so that growth shows.
  into.text.resize(into.stamp.bytes + 1);
  size_t filled = 0;
  while (filled < into.text.size()) {
    const ssize_t count = ::pread(file, into.text.data() + filled, into.text.size() - filled,
                                  static_cast<off_t>(filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return {unreadable(errno)};
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  struct stat after {};
  if (::fstat(file, &after) != 0) return {unreadable(errno)};
  const bool same = filled == into.stamp.bytes && stamp(after) == into.stamp;
  into.text.resize(std::min<size_t>(filled, into.stamp.bytes));
  return {std::nullopt, !same};
}

}  // namespace

std::string_view skip_reason_name(SkipReason reason) {
  switch (reason) {
    case SkipReason::TooLarge: return "too large";
    case SkipReason::Binary: return "binary";
    case SkipReason::NotUtf8: return "not UTF-8";
    case SkipReason::Unreadable: return "unreadable";
    case SkipReason::Changed: return "changed while it was read";
    case SkipReason::NotAFile: return "not a regular file";
    case SkipReason::BrokenLink: return "broken link";
    case SkipReason::LinkLoop: return "link loop";
    case SkipReason::TooCostly: return "too costly";
    case SkipReason::NoLanguage: return "in no language that a rule is for";
  }
  return "skipped";
}

bool is_incomplete(SkipReason reason) {
  return reason != SkipReason::NoLanguage && reason != SkipReason::NotAFile;
}

std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  return stamp(facts);
}

std::optional<Skip> check_source(std::string_view text) {
  const std::string_view probe = text.substr(0, kProbeBytes);
  const auto nuls = static_cast<size_t>(std::count(probe.begin(), probe.end(), '\0'));
  if (nuls * kNulShare > probe.size()) return Skip{SkipReason::Binary, ""};
  const size_t ascii = ascii_prefix(text);
  if (const auto invalid = find_invalid_utf8(text.substr(ascii))) {
    if (nuls > 0) return Skip{SkipReason::Binary, ""};
    return Skip{SkipReason::NotUtf8, fmt::format("invalid at byte {}", ascii + *invalid)};
  }
  return std::nullopt;
}

std::optional<Skip> read_source(const std::string& path, uint64_t bytes_max, SourceFile& into) {
  // Not blocking: opening a pipe that nobody writes to must not hang.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return unreadable(errno);
  constexpr int kAttempts = 2;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const ReadPass pass = read_once(file.get(), bytes_max, into);
    if (pass.skip) return pass.skip;
    if (!pass.changed) return check_source(into.text);
  }
  return Skip{SkipReason::Changed, "scan it again when nothing writes to it"};
}

}  // namespace tinyarms::scan
