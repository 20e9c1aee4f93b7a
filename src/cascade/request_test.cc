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
  Sampling bent{.temperature = 0.7};
  bent.presence_penalty = 1;
  bent.top_p = 0.9;
  EXPECT_EQ(sampler_name(bent), "temperature 0.7 top_p 0.9 bent");
  bent.temperature = 0;
  EXPECT_EQ(sampler_name(bent), "greedy bent");
  Request request;
  request.order.json_schema = "{}";
  EXPECT_EQ(sampler_of(request), "greedy, schema");
}

}  // namespace
}  // namespace tinyarms::cascade
