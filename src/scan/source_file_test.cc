#include "scan/source_file.h"

#include <gtest/gtest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "scan/test_tree.h"

namespace tinyarms::scan {
namespace {

std::optional<SkipReason> reason_of(const std::string& path, uint64_t bytes_max = 1 << 20) {
  SourceFile file;
  const auto skip = read_source(path, bytes_max, file);
  if (!skip) return std::nullopt;
  return skip->reason;
}

TEST(SourceFile, ReadsTextAsItIs) {
  const TestTree tree;
  SourceFile file;
  const std::string text = "\xEF\xBB\xBF" "a = '\xC3\xA4'\r\n";
  ASSERT_FALSE(read_source(tree.write("a.py", text), 100, file));
  EXPECT_EQ(file.text, text);
  EXPECT_EQ(file.stamp.bytes, text.size());
  ASSERT_FALSE(read_source(tree.write("b.py", ""), 100, file));
  EXPECT_EQ(file.text, "") << "the buffer is used again";
}

TEST(SourceFile, SaysWhyAFileIsSkipped) {
  const TestTree tree;
  EXPECT_EQ(reason_of(tree.write("big.py", std::string(101, 'a')), 100), SkipReason::TooLarge);
  EXPECT_EQ(reason_of(tree.write("fits.py", std::string(100, 'a')), 100), std::nullopt);
  EXPECT_EQ(reason_of(tree.write("bad.py", "a\n\xFF\n")), SkipReason::NotUtf8);
  EXPECT_EQ(reason_of(tree.write("deep.py", std::string(999, 'a') + "\xC3")), SkipReason::NotUtf8);
  EXPECT_EQ(reason_of(tree.write("elf.py", std::string("\x7F" "ELF\0\0\0\0\xFF", 9))),
            SkipReason::Binary);
  EXPECT_EQ(reason_of(tree.write("nuls.py", std::string(64, '\0'))), SkipReason::Binary);
  EXPECT_EQ(reason_of(tree.path("missing.py")), SkipReason::Unreadable);
  EXPECT_EQ(reason_of(tree.root().string()), SkipReason::Unreadable);
  ASSERT_EQ(::mkfifo(tree.path("pipe.py").c_str(), 0600), 0);
  EXPECT_EQ(reason_of(tree.path("pipe.py")), SkipReason::NotAFile) << "and does not hang";
}

TEST(SourceFile, OneNulInCodeIsNoBinary) {
  const TestTree tree;
  const std::string text = std::string(500, 'a') + '\0' + std::string(500, 'b');
  EXPECT_EQ(reason_of(tree.write("a.js", text)), std::nullopt);
}

TEST(SourceFile, AFileThatChangesWhileItIsReadIsNeverHalfOfEach) {
  const TestTree tree;
  const std::string path = tree.write("a.py", std::string(1 << 20, 'a'));
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      const int file = ::open(path.c_str(), O_WRONLY | O_TRUNC);
      const std::string text((1 << 20) - i % 7, i % 2 == 0 ? 'a' : 'b');
      if (file < 0 || ::write(file, text.data(), text.size()) < 0) stop = true;
      ::close(file);
    }
  });
  size_t whole = 0;
  size_t changed = 0;
  SourceFile file;
  // On a busy machine the writer may not run for a while.
  const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  int reads = 0;
  for (; reads < 300 || (changed == 0 && std::chrono::steady_clock::now() < late); ++reads) {
    std::this_thread::yield();
    if (const auto skip = read_source(path, 2 << 20, file)) {
      ASSERT_EQ(skip->reason, SkipReason::Changed);
      ++changed;
      continue;
    }
    ++whole;
    ASSERT_EQ(file.text.size(), file.stamp.bytes);
  }
  stop = true;
  writer.join();
  EXPECT_EQ(whole + changed, static_cast<size_t>(reads));
  EXPECT_GT(changed, 0u) << "the writer never came in between: the test shows nothing";
}

}  // namespace
}  // namespace tinyarms::scan
