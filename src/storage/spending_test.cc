#include "storage/spending.h"

#include <gtest/gtest.h>

#include "storage/test_folder.h"

namespace tinyarms::storage {
namespace {

class SpendingTest : public testing::Test {
 protected:
  std::unique_ptr<Spending> open() {
    auto opened = Spending::open(folder_ / "spending.sqlite", clock_);
    EXPECT_TRUE(opened) << opened.error().message();
    return std::move(*opened);
  }

  TestFolder folder_;
  HandClock clock_;
};

TEST_F(SpendingTest, WhatIsHeldCountsUntilItIsSettled) {
  auto book = open();
  auto first = book->hold(0.6, 1);
  ASSERT_TRUE(first) << first.error().message();
  auto second = book->hold(0.6, 1);
  ASSERT_FALSE(second);  // asked at once they would go past it together
  EXPECT_EQ(second.error().code, ErrorCode::OverBudget);
  EXPECT_NE(second.error().what.find("2023-11-14"), std::string::npos);
  ASSERT_TRUE(book->settle(*first, 0.1));
  EXPECT_NEAR(book->today()->total(), 0.1, 1e-12);
  EXPECT_EQ(book->today()->questions, 1);
  EXPECT_TRUE(book->hold(0.6, 1));
}

TEST_F(SpendingTest, AnotherProcessAndARestartSeeTheSame) {
  auto book = open();
  auto other = open();
  ASSERT_TRUE(book->settle(*book->hold(0.5, 1), 0.4));
  ASSERT_TRUE(other->hold(0.5, 1));  // never settled: killed
  EXPECT_FALSE(book->hold(0.2, 1));
  book.reset();
  other.reset();
  const auto day = open()->today();
  ASSERT_TRUE(day);
  EXPECT_NEAR(day->spent, 0.4, 1e-12);
  EXPECT_NEAR(day->held, 0.5, 1e-12);
}

TEST_F(SpendingTest, ADayEndsAtMidnightUtc) {
  auto book = open();
  const auto held = book->hold(1, 1);
  ASSERT_TRUE(held);
  EXPECT_FALSE(book->hold(0.1, 1));
  clock_.now += 2 * 3600;  // from 22:13 to 00:13
  EXPECT_EQ(book->today()->day, "2023-11-15");
  ASSERT_TRUE(book->hold(0.1, 1));
  ASSERT_TRUE(book->settle(*held, 1));  // on the day it was held
  EXPECT_EQ(book->today()->spent, 0);
}

TEST_F(SpendingTest, NothingIsSettledTwice) {
  auto book = open();
  const int64_t held = *book->hold(0.5, 1);
  ASSERT_TRUE(book->settle(held, 0.5));
  ASSERT_TRUE(book->settle(held, 0.5));
  ASSERT_TRUE(book->settle(99, 0.5));
  EXPECT_NEAR(book->today()->total(), 0.5, 1e-12);
}

TEST_F(SpendingTest, AnAmountThatIsNoNumberIsRefused) {
  auto book = open();
  EXPECT_FALSE(book->hold(std::numeric_limits<double>::quiet_NaN(), 1));
  EXPECT_FALSE(book->hold(std::numeric_limits<double>::infinity(), 1));
}

TEST(TokenPrice, IsOfAMillionTokens) {
  EXPECT_DOUBLE_EQ((TokenPrice{3, 15}.of(1e6, 2e6)), 33);
}

}  // namespace
}  // namespace tinyarms::storage
