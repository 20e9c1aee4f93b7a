#include "cli/protocol_stream.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <thread>

namespace tinyarms::cli {
namespace {

constexpr size_t kMoreThanAPipeHolds = 4 << 20;

class PipeTest : public testing::Test {
 protected:
  PipeTest() {
    if (::pipe(ends_) != 0) std::abort();
  }
  ~PipeTest() override {
    for (const int one : ends_) ::close(one);
  }

  int ends_[2] = {};
  const std::string text_ = std::string(kMoreThanAPipeHolds, 'x');
};

TEST_F(PipeTest, AllIsWrittenToWhoReads) {
  const SignalsWhileWaiting signals;
  const StopFlag stop;
  size_t got = 0;
  std::thread reader([&] {
    char block[1 << 16];
    while (got < kMoreThanAPipeHolds) {
      const ssize_t some = ::read(ends_[0], block, sizeof block);
      if (some <= 0) break;
      got += static_cast<size_t>(some);
    }
  });
  EXPECT_TRUE(signals.write_all(ends_[1], text_, stop));
  reader.join();
  EXPECT_EQ(got, kMoreThanAPipeHolds);
}

TEST_F(PipeTest, WhoDoesNotReadHoldsNobodyThatIsToEnd) {
  const auto before = ::signal(SIGTERM, [](int) {});
  {
    const SignalsWhileWaiting signals;
    StopFlag stop;
    ::kill(::getpid(), SIGTERM);  // blocked: it waits
    EXPECT_FALSE(signals.write_all(ends_[1], text_, stop));
    signals.let_through();
    stop.raise();
    EXPECT_FALSE(signals.write_all(ends_[1], text_, stop));
  }
  ::signal(SIGTERM, before);
}

}  // namespace
}  // namespace tinyarms::cli
