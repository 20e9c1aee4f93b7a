#include "cascade/evidence.h"

#include <gtest/gtest.h>

namespace tinyarms::cascade {
namespace {

TEST(Evidence, KeepsTheOrderOfFirstInsertion) {
  Evidence evidence;
  EXPECT_TRUE(evidence.empty());
  evidence.set("b", 1.0);
  evidence.set("a", true);
  evidence.set("b", 2.0);
  ASSERT_EQ(evidence.items().size(), 2u);
  EXPECT_EQ(evidence.items()[0].first, "b");
  EXPECT_EQ(evidence.number("b"), 2.0);
  EXPECT_FALSE(evidence.empty());
}

TEST(Evidence, AnotherKindIsNotThere) {
  Evidence evidence;
  evidence.set("x", std::string("1"));
  EXPECT_EQ(evidence.number("x"), std::nullopt);
  EXPECT_EQ(evidence.flag("x"), std::nullopt);
  EXPECT_EQ(evidence.text("x"), "1");
  EXPECT_EQ(evidence.text("y"), std::nullopt);
  evidence.set("x", 0.0);
  EXPECT_EQ(evidence.number("x"), 0.0);  // zero is a measurement
  EXPECT_EQ(evidence.text("x"), std::nullopt);
}

}  // namespace
}  // namespace tinyarms::cascade
