#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "base/stop_flag.h"

namespace tinyarms {
namespace {

const Error kError{ErrorCode::Config, "unknown key", "config.toml:3", "did you mean l2?"};

TEST(Error, TellsWhereWhatAndWhatToDo) {
  EXPECT_EQ(kError.message(), "config.toml:3: unknown key (did you mean l2?)");
  EXPECT_EQ((Error{ErrorCode::Io, "no space", "", ""}).message(), "no space");
  const Error wrapped = kError.wrap("starting up").wrap("again");
  EXPECT_EQ(wrapped.message(),
            "config.toml:3: again: starting up: unknown key (did you mean l2?)");
  EXPECT_EQ(wrapped.code, ErrorCode::Config);
}

TEST(Error, EveryCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  const int count = static_cast<int>(ErrorCode::Internal) + 1;
  for (int code = 0; code < count; ++code) {
    const std::string_view name = error_code_name(static_cast<ErrorCode>(code));
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos);
    names.insert(name);
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(count));
}

TEST(Result, HoldsAValueOrAnError) {
  Result<std::string> good = std::string("yes");
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, "yes");
  EXPECT_EQ(good->size(), 3U);
  Result<std::string> bad = kError;
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code, ErrorCode::Config);
  bad = std::string("mended");
  EXPECT_TRUE(bad);
}

TEST(Result, CarriesWhatOnlyMoves) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  ASSERT_TRUE(result);
  std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 7);
  Result<std::unique_ptr<int>> again = std::move(taken);
  EXPECT_EQ(*std::move(again).value(), 7);
}

TEST(Result, OfNothingSucceedsByDefault) {
  Result<void> fine;
  EXPECT_TRUE(fine);
  Result<void> failed = kError;
  EXPECT_FALSE(failed);
  EXPECT_EQ(failed.error().what, "unknown key");
}

#ifndef NDEBUG
TEST(ResultDeathTest, AskingForWhatIsNotThereAsserts) {
  Result<int> bad = kError;
  Result<int> good = 1;
  Result<void> fine;
  EXPECT_DEATH((void)*bad, "");
  EXPECT_DEATH((void)good.error(), "");
  EXPECT_DEATH((void)fine.error(), "");
}
#endif

TEST(StopFlag, StaysRaised) {
  StopFlag flag;
  EXPECT_FALSE(flag.raised());
  flag.raise();
  flag.raise();
  EXPECT_TRUE(flag.raised());
}

}  // namespace
}  // namespace tinyarms
