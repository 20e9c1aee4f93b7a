#include "cli/bench_progress.h"

#include <fmt/format.h>

#include <cstdio>

namespace tinyarms::cli {
namespace {

constexpr double kSecondsBetween = 0.2;
constexpr const char* kClearLine = "\r\033[K";

std::string clock_time(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

std::string progress_line(const eval::Progress& progress) {
  const double share = progress.total > 0 ? 100.0 * static_cast<double>(progress.done) /
                                                static_cast<double>(progress.total)
                                          : 100;
  std::string line =
      fmt::format("{} · {}  {}/{}  {:.0f} %  {:.2f} items/s  {} left", progress.task,
                  progress.subject, progress.done, progress.total, share,
                  progress.items_per_second, clock_time(progress.seconds_left));
  if (progress.measured > 0) {
    line += fmt::format("  {:.1f} % [{:.1f}, {:.1f}]",
                        100.0 * static_cast<double>(progress.correct) /
                            static_cast<double>(progress.measured),
                        100 * progress.interval.low, 100 * progress.interval.high);
  }
  if (progress.done > progress.measured) {
    line += fmt::format("  {} not measured", progress.done - progress.measured);
  }
  return line;
}

BenchProgress::~BenchProgress() {
  if (shown_ >= 0) std::fputs(kClearLine, stderr);
}

void BenchProgress::progressed(const eval::Progress& progress) {
  if (!terminal_.messages_are_watched()) return;
  const double now = clock_.monotonic_seconds();
  if (shown_ >= 0 && now - shown_ < kSecondsBetween && progress.done < progress.total) return;
  shown_ = now;
  const std::string line = kClearLine + printable(progress_line(progress));
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace tinyarms::cli
