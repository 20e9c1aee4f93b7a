#include "cascade/request.h"

#include <gtest/gtest.h>

namespace tinyarms::cascade {
namespace {

TEST(Request, TheQuestionIsTheLastThingTheUserSaid) {
  Request request;
  EXPECT_EQ(request.question(), "");
  request.messages = {{Role::System, "be brief"}};
  EXPECT_EQ(request.question(), "");
  request.messages.push_back({Role::User, "first"});
  request.messages.push_back({Role::Assistant, "answer"});
  EXPECT_EQ(request.question(), "first");
  request.messages.push_back({Role::User, "second"});
  EXPECT_EQ(request.question(), "second");
}

TEST(Request, OfflineUnlessSomebodySaysOtherwise) { EXPECT_TRUE(Request{}.offline); }

}  // namespace
}  // namespace tinyarms::cascade
