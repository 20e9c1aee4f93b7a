#include "base/file_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <thread>

#include "base/descriptor.h"

namespace tinyarms {
namespace {

using std::chrono::milliseconds;

class FileLock : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  int open() const { return ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); }

  std::filesystem::path path_ = std::filesystem::path(::testing::TempDir()) / "file_lock_test";
};

TEST_F(FileLock, AnotherHolderIsToldApartFromAFault) {
  const Descriptor first(open());
  const Descriptor second(open());
  ASSERT_TRUE(lock_file(first.get(), milliseconds(0)));
  EXPECT_FALSE(lock_file(second.get(), milliseconds(30)));
  EXPECT_EQ(errno, EWOULDBLOCK);
  EXPECT_FALSE(lock_file(-1, milliseconds(0)));
  EXPECT_EQ(errno, EBADF);
}

TEST_F(FileLock, AHolderThatGoesIsWaitedFor) {
  auto first = std::make_unique<Descriptor>(open());
  const Descriptor second(open());
  ASSERT_TRUE(lock_file(first->get(), milliseconds(0)));
  std::thread goes([&] { first.reset(); });
  EXPECT_TRUE(lock_file(second.get(), milliseconds(60'000)));
  goes.join();
}

}  // namespace
}  // namespace tinyarms
