// The programs in probes/: named attempts to get out of the sandbox, to exhaust the machine or to
// forge a verdict. One that succeeds prints "ESCAPED …"; one that is stopped says so, or ends by a
// limit. A forging one must not pass honest tests of a sum. After each, nothing of it may be left
// within a second.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include "sandbox/bubblewrap_judge.h"

namespace tinyarms::sandbox {
namespace {

constexpr const char* kHonestTests = "assert add(1, 2) == 3\nassert add(5, 6) == 11\n";

struct Probe {
  std::string name;
  std::string source;
  std::string language;
  bool forges = false;
};

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (size_t at; (at = text.find(what)) != std::string::npos;) {
    text.replace(at, what.size(), with);
  }
}

Probe read_probe(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  const char* home = std::getenv("HOME");
  replace_all(text, "@HOME@", home != nullptr ? home : "/home");
  replace_all(text, "@PID@", fmt::to_string(::getpid()));
  replace_all(text, "@HERE@", std::filesystem::current_path().string());
  return {path.stem(), text, path.extension() == ".py" ? "python" : "cpp",
          path.parent_path().filename() == "forging"};
}

std::vector<Probe> all_probes() {
  std::vector<Probe> probes;
  // ctest gives the folder; what the compiler was told the file is called may be relative.
  const char* source = std::getenv("TINYARMS_SOURCE");
  const auto folder = source != nullptr
                          ? std::filesystem::path(source) / "src/sandbox/probes"
                          : std::filesystem::path(__FILE__).parent_path() / "probes";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) probes.push_back(read_probe(entry.path()));
  }
  std::sort(probes.begin(), probes.end(),
            [](const Probe& a, const Probe& b) { return a.name < b.name; });
  return probes;
}

// The numbers of all processes that descend from this one.
std::set<pid_t> descendants() {
  std::set<pid_t> family = {::getpid()};
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const pid_t pid = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
      if (pid <= 0 || family.contains(pid)) continue;
      std::ifstream file(entry.path() / "stat");
      std::string stat;
      std::getline(file, stat);
      const size_t close = stat.rfind(')');
      if (close == std::string::npos || close + 4 >= stat.size()) continue;
      if (family.contains(static_cast<pid_t>(std::atoi(stat.c_str() + close + 4)))) {
        grew = family.insert(pid).second || grew;
      }
    }
  }
  family.erase(::getpid());
  return family;
}

class ProbeTest : public ::testing::TestWithParam<Probe> {
 protected:
  void SetUp() override {
    if (auto sound = check(); !sound) {
      GTEST_SKIP() << "no sandbox on this machine: " << sound.error().message();
    }
  }

  static JudgeOptions options() {
    JudgeOptions options;
    options.sandboxes = 1;
    options.python.cpu_seconds = 2;
    options.python.wall_seconds = 3;
    options.toolchains.cpu_seconds = 4;
    options.toolchains.wall_seconds = 5;
    options.toolchains.memory_bytes = int64_t{512} << 20;
    return options;
  }
};

TEST_P(ProbeTest, DoesNotSucceedAndLeavesNothing) {
  const auto judge = make_judge(options());
  const auto add = [&] {
    return judge->run({.language = "python", .source = "def add(a, b): return a + b",
                       .tests = kHonestTests});
  };
  auto before = add();
  ASSERT_TRUE(before) << before.error().message();
  ASSERT_TRUE(before->passed()) << before->errors;
  const std::set<pid_t> idle = descendants();

  const Probe& probe = GetParam();
  const auto outcome = judge->run({.language = probe.language, .source = probe.source,
                                   .input = "7\n", .tests = probe.forges ? kHonestTests : ""});
  ASSERT_TRUE(outcome) << outcome.error().message();
  EXPECT_THAT(outcome->output, ::testing::Not(::testing::HasSubstr("ESCAPED")));
  if (probe.forges) {
    EXPECT_FALSE(outcome->passed()) << outcome->output;
  } else if (outcome->end == Outcome::End::Exited) {
    // An attempt that ended by itself says that it was stopped: it did run.
    EXPECT_THAT(outcome->output, ::testing::HasSubstr("stopped")) << outcome->errors;
  }

  // Nothing is left but what was there: at most the idle sandbox, or a fresh one in its place.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  size_t left = descendants().size();
  while (left > idle.size() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    left = descendants().size();
  }
  EXPECT_LE(left, idle.size());
  // And the next program finds a clean place.
  const auto list = judge->run(
      {.language = "python", .source = "import os; print(os.listdir('/tmp'), end='')"});
  ASSERT_TRUE(list) << list.error().message();
  EXPECT_EQ(list->output, "[]") << list->errors;
  const auto after = add();
  ASSERT_TRUE(after) << after.error().message();
  EXPECT_TRUE(after->passed()) << after->errors;
}

INSTANTIATE_TEST_SUITE_P(Sandbox, ProbeTest, ::testing::ValuesIn(all_probes()),
                         [](const auto& probe) { return probe.param.name; });

}  // namespace
}  // namespace tinyarms::sandbox
