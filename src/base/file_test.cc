#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <vector>

namespace tinyarms {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "file-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
  void put(const fs::path& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  fs::path folder_;
};

TEST_F(FileTest, ReadsWhatWasWritten) {
  std::string bytes("with\0nul and \xFF", 15);
  for (int i = 0; i < 18; ++i) bytes += bytes;
  ASSERT_TRUE(write_file_atomically(folder_ / "a", bytes));
  EXPECT_EQ(*read_file(folder_ / "a", bytes.size()), bytes);
  ASSERT_TRUE(write_file_atomically(folder_ / "a", ""));
  EXPECT_EQ(*read_file(folder_ / "a", 0), "");
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(FileTest, TheLimitHoldsToTheByte) {
  put(folder_ / "ten", "0123456789");
  EXPECT_TRUE(read_file(folder_ / "ten", 10));
  auto refused = read_file(folder_ / "ten", 9);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::OverBudget);
  // Endless, and without a size to ask for.
  EXPECT_EQ(read_file("/dev/zero", 1 << 20).error().code, ErrorCode::OverBudget);
  // No limit in practice must not overflow into none at all.
  EXPECT_EQ(*read_file(folder_ / "ten", SIZE_MAX), "0123456789");
}

TEST_F(FileTest, WhatCannotBeReadIsATypedError) {
  auto missing = read_file(folder_ / "none", 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
  EXPECT_EQ(missing.error().where, (folder_ / "none").string());
  EXPECT_EQ(read_file(folder_, 10).error().code, ErrorCode::Io);
  EXPECT_FALSE(read_file("", 10));
}

TEST_F(FileTest, WritingMakesFoldersAndReplaces) {
  const fs::path path = folder_ / "a/b/c.txt";
  ASSERT_TRUE(write_file_atomically(path, "one"));
  ASSERT_TRUE(write_file_atomically(path, "two"));
  EXPECT_EQ(*read_file(path, 10), "two");
}

TEST_F(FileTest, AFailedWriteLeavesTheOldFileAndNothingElse) {
  put(folder_ / "file", "old");
  EXPECT_EQ(write_file_atomically(folder_ / "file/below", "x").error().code, ErrorCode::Io);
  fs::create_directory(folder_ / "taken");
  put(folder_ / "taken/inside", "x");
  EXPECT_FALSE(write_file_atomically(folder_ / "taken", "x"));
  EXPECT_THAT(names(), testing::UnorderedElementsAre("file", "taken"));

  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{100, 100};
    ::setrlimit(RLIMIT_FSIZE, &small);
    auto written = write_file_atomically(folder_ / "file", std::string(5000, 'n'));
    ::_exit(!written && written.error().code == ErrorCode::Io ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(*read_file(folder_ / "file", 10), "old");
  EXPECT_THAT(names(), testing::UnorderedElementsAre("file", "taken"));
}

TEST_F(FileTest, APendingFileGoesUnlessCommitted) {
  {
    PendingFile pending(folder_ / "a");
    put(pending.path(), "half");
    EXPECT_EQ(pending.path().parent_path(), folder_);
  }
  EXPECT_TRUE(names().empty());
  PendingFile pending(folder_ / "a");
  EXPECT_FALSE(pending.commit());  // nothing was written
  put(pending.path(), "whole");
  ASSERT_TRUE(pending.commit());
  EXPECT_EQ(*read_file(folder_ / "a", 10), "whole");
  PendingFile other(folder_ / "a");
  EXPECT_NE(other.path(), pending.path());
}

TEST_F(FileTest, CommitNewNeverReplaces) {
  {
    PendingFile first(folder_ / "a");
    put(first.path(), "first");
    auto placed = first.commit_new();
    ASSERT_TRUE(placed) << placed.error().message();
    EXPECT_TRUE(*placed);
    PendingFile second(folder_ / "a");
    put(second.path(), "second");
    placed = second.commit_new();
    ASSERT_TRUE(placed);
    EXPECT_FALSE(*placed);
    PendingFile nowhere(folder_ / "none/a");
    EXPECT_FALSE(nowhere.commit_new());
  }
  EXPECT_EQ(*read_file(folder_ / "a", 10), "first");
  EXPECT_THAT(names(), ElementsAre("a"));
}

}  // namespace
}  // namespace tinyarms
