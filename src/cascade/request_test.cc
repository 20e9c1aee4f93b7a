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

TEST(Request, TheSamplersNameHoldsWhatChangesTheDistribution) {
  EXPECT_EQ(sampler_name({}), "greedy");
  EXPECT_EQ(sampler_name({.temperature = 0, .seed = 7, .tokens_max = 3, .stop = {}}), "greedy");
  EXPECT_EQ(sampler_name({.temperature = 0.7, .stop = {}}), "temperature 0.7");
}

}  // namespace
}  // namespace tinyarms::cascade
