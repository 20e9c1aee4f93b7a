#include "service/settings_size.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

namespace tinyarms::service {
namespace {

TEST(ParseSize, ReadsDecimalAndBinaryUnits) {
  const std::pair<const char*, uint64_t> cases[] = {
      {"0", 0},
      {"4096", 4096},
      {"4096B", 4096},
      {"1kB", 1000},
      {"1KiB", 1024},
      {"2.5GB", 2500000000},
      {"7.2GiB", 7730941132},  // 7.2 × 2^30 = 7730941132.8
      {"512MiB", 536870912},
      {"512 mib", 536870912},
      {"1tb", 1000000000000},
      {"9007199254740993", 9007199254740993},  // 2^53 + 1: more digits than a double has
  };
  for (const auto& [text, bytes] : cases) {
    auto size = parse_size(text);
    ASSERT_TRUE(size) << text << ": " << size.error().message();
    EXPECT_EQ(*size, bytes) << text;
  }
}

TEST(ParseSize, RefusesWhatIsNoSize) {
  for (const char* text :
       {"", "GB", "-1", "-0.5GB", "2.5XB", "2,5GB", "1  GB", "1GB ", "nan", "inf", "1e30",
        "99999999TB", "9223372036854775808", "0x10", "1 GB/s"}) {
    auto size = parse_size(text);
    ASSERT_FALSE(size) << text << " was read as " << *size;
    EXPECT_EQ(size.error().code, ErrorCode::InvalidArgument) << text;
    EXPECT_FALSE(size.error().hint.empty()) << text;
  }
}

TEST(FormatSize, PrefersTheUnitThatFits) {
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(format_size(2500000000), "2.5GB");
  EXPECT_EQ(format_size(uint64_t{512} << 20), "512MiB");
  EXPECT_EQ(format_size(1500), "1.5kB");
}

TEST(FormatSize, IsReadBackExactly) {
  for (uint64_t bytes : {uint64_t{1}, uint64_t{1023}, uint64_t{1025}, uint64_t{7730941132},
                         uint64_t{123456789012345}, (uint64_t{1} << 62) + 1}) {
    auto again = parse_size(format_size(bytes));
    ASSERT_TRUE(again) << format_size(bytes);
    EXPECT_EQ(*again, bytes) << format_size(bytes);
  }
}

}  // namespace
}  // namespace tinyarms::service
