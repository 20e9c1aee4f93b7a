#include "remote/circuit_breaker.h"

#include <gtest/gtest.h>

namespace tinyarms::remote {
namespace {

using State = CircuitBreaker::State;

void fail(CircuitBreaker& breaker, double now) {
  breaker.begin(now);
  breaker.failed(now);
}

TEST(CircuitBreaker, OpensAfterFailuresInARowOnly) {
  CircuitBreaker breaker({.failures_to_open = 3, .open_seconds = 2, .open_seconds_max = 8});
  fail(breaker, 0);
  fail(breaker, 0);
  breaker.begin(0);
  breaker.succeeded();
  fail(breaker, 0);
  fail(breaker, 0);
  EXPECT_EQ(breaker.state(0), State::Closed);
  fail(breaker, 0);
  EXPECT_EQ(breaker.state(0), State::Open);
  EXPECT_FALSE(breaker.allows(1.9));
}

TEST(CircuitBreaker, LetsOneTrialThroughAndDoublesItsPatience) {
  CircuitBreaker breaker({.failures_to_open = 1, .open_seconds = 2, .open_seconds_max = 5});
  fail(breaker, 0);
  EXPECT_EQ(breaker.state(2), State::HalfOpen);
  EXPECT_TRUE(breaker.allows(2));
  breaker.begin(2);
  EXPECT_FALSE(breaker.allows(2));  // one at a time
  breaker.abandoned();
  EXPECT_TRUE(breaker.allows(2));
  fail(breaker, 2);
  EXPECT_EQ(breaker.state(5.9), State::Open);  // four seconds now
  EXPECT_EQ(breaker.state(6), State::HalfOpen);
  fail(breaker, 6);
  EXPECT_EQ(breaker.state(10.9), State::Open);  // and five at most
  EXPECT_EQ(breaker.state(11), State::HalfOpen);
  breaker.begin(11);
  breaker.succeeded();
  EXPECT_EQ(breaker.state(11), State::Closed);
  fail(breaker, 12);
  EXPECT_EQ(breaker.state(14), State::HalfOpen);  // two seconds again
}

TEST(CircuitBreaker, ALateFailureOfBeforeTellsNothingNew) {
  CircuitBreaker breaker({.failures_to_open = 1, .open_seconds = 2, .open_seconds_max = 8});
  breaker.begin(0);
  fail(breaker, 0);
  breaker.failed(1);
  EXPECT_EQ(breaker.state(2), State::HalfOpen);
}

TEST(CircuitBreaker, AProbedOneWaitsForItsProbe) {
  CircuitBreaker breaker(
      {.failures_to_open = 1, .open_seconds = 2, .open_seconds_max = 8, .probed = true});
  fail(breaker, 0);
  EXPECT_EQ(breaker.due(), 2);
  EXPECT_EQ(breaker.state(100), State::Open);
  breaker.probed(false, 100);
  EXPECT_EQ(breaker.due(), 104);
  breaker.probed(true, 104);
  EXPECT_EQ(breaker.state(104), State::HalfOpen);
  fail(breaker, 104);
  EXPECT_EQ(breaker.state(104), State::Open);
}

TEST(CircuitBreaker, ATrialThatIsBeingAnsweredLetsOthersThrough) {
  CircuitBreaker breaker({.failures_to_open = 3, .open_seconds = 2, .open_seconds_max = 8});
  for (int i = 0; i < 3; ++i) fail(breaker, 0);
  breaker.begin(2);
  breaker.answering();
  EXPECT_TRUE(breaker.allows(2));
  breaker.failed(3);  // it broke off after all
  EXPECT_EQ(breaker.state(6.9), State::Open);  // four seconds: it never succeeded in between
  EXPECT_EQ(breaker.state(7), State::HalfOpen);
  breaker.begin(7);
  breaker.answering();
  breaker.succeeded();
  fail(breaker, 8);
  EXPECT_EQ(breaker.state(8), State::Closed);  // three in a row again
}

TEST(CircuitBreaker, WithoutALimitItNeverOpens) {
  CircuitBreaker breaker({.failures_to_open = 0});
  for (int i = 0; i < 100; ++i) fail(breaker, i);
  EXPECT_EQ(breaker.state(100), State::Closed);
}

}  // namespace
}  // namespace tinyarms::remote
