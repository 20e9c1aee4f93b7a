// Two processes at once, and processes that die at any moment. Children are forked with nothing
// open and leave by _exit or by SIGKILL.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "storage/answer_cache.h"
#include "storage/test_folder.h"

namespace tinyarms::storage {
namespace {

namespace fs = std::filesystem;

const Binding kProcessBinding{"shared"};

CachedAnswer entry_of(int writer, int number) {
  const std::string name = "writer " + std::to_string(writer) + " number " + std::to_string(number);
  return {.question = name, .answer = "answer of " + name + std::string(500, 'x'), .source = "m",
          .level = "l2", .confidence = 0.5};
}

std::vector<float> embedding_of(int writer, int number) {
  std::mt19937 random(static_cast<unsigned>(writer * 100'000 + number));
  std::normal_distribution<float> normal;
  std::vector<float> values(64);
  for (float& value : values) value = normal(random);
  return values;
}

// 0, or what went wrong, as an exit status.
int write_entries(const fs::path& path, int writer, int count) {
  HandClock clock;
  auto opened = Database::open(path, clock);
  if (!opened) return 1;
  if (!opened->notice.empty()) return 2;
  AnswerCache cache(*opened->database, clock);
  for (int i = 0; i < count; ++i) {
    if (!cache.put(kProcessBinding, entry_of(writer, i), embedding_of(writer, i))) return 3;
    if (!cache.find_similar(kProcessBinding, embedding_of(writer, i), 0.99)) return 4;
  }
  return 0;
}

int exit_status(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void expect_intact(Database& database) {
  auto check = database.prepare("PRAGMA integrity_check");
  ASSERT_TRUE(check);
  ASSERT_TRUE(*check->step());
  EXPECT_EQ(check->text(0), "ok");
}

TEST(Processes, TwoWritersLoseNothing) {
  constexpr int kPuts = 200;
  TestFolder folder;
  const fs::path path = folder / "new/c.sqlite";  // both also race to create it
  std::vector<pid_t> children;
  for (int writer = 0; writer < 2; ++writer) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(write_entries(path, writer, kPuts));
    children.push_back(child);
  }
  for (pid_t child : children) EXPECT_EQ(exit_status(child), 0);

  HandClock clock;
  auto opened = Database::open(path, clock);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->notice, "");
  expect_intact(*opened->database);
  AnswerCache cache(*opened->database, clock);
  for (int writer = 0; writer < 2; ++writer) {
    for (int i = 0; i < kPuts; ++i) {
      auto found = cache.find_similar(kProcessBinding, embedding_of(writer, i), 0.99);
      ASSERT_TRUE(found && *found) << writer << ", " << i;
      EXPECT_EQ((*found)->entry.answer, entry_of(writer, i).answer);
    }
  }
}

TEST(Processes, ABadFileIsSetAsideOnceHoweverManyFindIt) {
  TestFolder folder;
  const fs::path path = folder / "c.sqlite";
  write_bytes(path, "this is no database at all, only a line of text that is long enough ....");
  std::vector<pid_t> children;
  for (int writer = 0; writer < 4; ++writer) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const int status = write_entries(path, writer, 5);
      // Status 2 is the notice: exactly one process is to have it.
      ::_exit(status == 2 ? write_entries(path, writer, 5) + 10 : status);
    }
    children.push_back(child);
  }
  int with_notice = 0;
  for (pid_t child : children) {
    const int status = exit_status(child);
    EXPECT_TRUE(status == 0 || status == 10) << status;
    with_notice += status == 10 ? 1 : 0;
  }
  EXPECT_EQ(with_notice, 1);
  EXPECT_EQ(folder.names_like("c.sqlite.corrupt-").size(), 1U);
  HandClock clock;
  auto opened = Database::open(path, clock);
  ASSERT_TRUE(opened);
  EXPECT_EQ(AnswerCache(*opened->database, clock).stats()->entries, 20U);
}

TEST(Processes, KilledAtAnyMomentTheFileStaysGood) {
  TestFolder folder;
  const fs::path path = folder / "c.sqlite";
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  size_t entries_before = 0;
  for (int round = 0; round < 20; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(write_entries(path, round, 100'000));
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 40));
    ::kill(child, SIGKILL);
    EXPECT_EQ(exit_status(child), -SIGKILL);

    HandClock clock;
    auto opened = Database::open(path, clock);
    ASSERT_TRUE(opened) << opened.error().message();
    ASSERT_EQ(opened->notice, "");
    expect_intact(*opened->database);
    AnswerCache cache(*opened->database, clock);
    const size_t entries = cache.stats()->entries;
    EXPECT_GE(entries, entries_before);
    // What this round has, it has without a gap and whole.
    for (int i = 0; i < static_cast<int>(entries - entries_before); ++i) {
      auto found = cache.find_exact(kProcessBinding, entry_of(round, i).question);
      ASSERT_TRUE(found && *found) << "round " << round << ", entry " << i;
      EXPECT_EQ((*found)->answer, entry_of(round, i).answer);
    }
    entries_before = entries;
  }
  EXPECT_GT(entries_before, 0U);
}

}  // namespace
}  // namespace tinyarms::storage
