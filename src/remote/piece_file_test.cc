#include "remote/piece_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace tinyarms::remote {
namespace {

class PieceFileTest : public ::testing::Test {
 protected:
  PieceFileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pieces-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~PieceFileTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::filesystem::path part() const { return folder_ / "x.part"; }
  static constexpr uint64_t kBytes = (1 << 20) + 5;

  std::filesystem::path folder_;
};

TEST_F(PieceFileTest, WhatIsMarkedIsThereTheNextTime) {
  {
    auto file = PieceFile::open(part(), {.version = "sha256:a", .bytes = kBytes});
    ASSERT_TRUE(file) << file.error().message();
    EXPECT_EQ(file->pieces(), 5u);
    EXPECT_EQ(file->end(4), kBytes);
    ASSERT_TRUE(file->write(file->begin(1), "abc"));
    ASSERT_TRUE(file->mark(1));
    // While one has it, another has not.
    EXPECT_EQ(PieceFile::open(part(), {.version = "sha256:a", .bytes = kBytes}).error().code,
              ErrorCode::Unavailable);
  }
  auto again = PieceFile::open(part(), {.version = "sha256:a", .bytes = kBytes});
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->has(0));
  EXPECT_TRUE(again->has(1));
  EXPECT_EQ(again->bytes_there(), 256u << 10);
}

TEST_F(PieceFileTest, AllMayBeMarkedAtOnce) {
  {
    auto file = PieceFile::open(part(), {.version = "sha256:a", .bytes = kBytes});
    ASSERT_TRUE(file && file->mark_all());
  }
  EXPECT_EQ(PieceFile::open(part(), {.version = "sha256:a", .bytes = kBytes})->bytes_there(),
            kBytes);
}

TEST_F(PieceFileTest, AnotherVersionOrABrokenJournalBeginsAnew) {
  const auto fill = [&] {
    auto file = PieceFile::open(part(), {.version = "sha256:a", .bytes = kBytes});
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->mark(0));
  };
  const auto there = [&](const PieceIdentity& identity) {
    auto file = PieceFile::open(part(), identity);
    return file ? file->bytes_there() : ~0ull;
  };
  fill();
  EXPECT_EQ(there({.version = "sha256:b", .bytes = kBytes}), 0u);
  fill();
  EXPECT_EQ(there({.version = "sha256:a", .bytes = kBytes + 1}), 0u);
  for (const char* journal : {"", "{", "[]", "{\"pieces\":7}"}) {
    fill();
    std::ofstream(journal_of(part())) << journal;
    EXPECT_EQ(there({.version = "sha256:a", .bytes = kBytes}), 0u) << journal;
  }
  fill();
  std::filesystem::resize_file(part(), 10);
  EXPECT_EQ(there({.version = "sha256:a", .bytes = kBytes}), 0u);
}

}  // namespace
}  // namespace tinyarms::remote
