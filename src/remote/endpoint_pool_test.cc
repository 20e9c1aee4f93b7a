#include "remote/endpoint_pool.h"

#include <gtest/gtest.h>

#include <future>
#include <set>

#include "base/hand_clock.h"
#include "remote/endpoint_prober.h"
#include "remote/retry.h"
#include "remote/scripted_server.h"

namespace tinyarms::remote {
namespace {

const std::vector<std::string> kThree = {"http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1/",
                                         "http://127.0.0.1:3/v1"};

void fail(EndpointPool& pool, size_t index, int times) {
  std::vector<size_t> others;
  for (size_t i = 0; i < pool.size(); ++i) {
    if (i != index) others.push_back(i);
  }
  for (int i = 0; i < times; ++i) {
    auto choice = pool.take(others);
    ASSERT_TRUE(choice.lease);
    choice.lease->end(CallEnd::Failed);
  }
}

TEST(EndpointPool, TheLeastLoadedIsTaken) {
  HandClock clock{1000};
  EndpointPool pool(kThree, clock);
  auto first = pool.take();
  auto second = pool.take();
  auto third = pool.take();
  EXPECT_EQ(std::set<size_t>({first.lease->index(), second.lease->index(),
                              third.lease->index()}),
            std::set<size_t>({0, 1, 2}));
  second.lease->end(CallEnd::Answered, 5);
  const auto again = pool.take();
  EXPECT_EQ(again.lease->index(), 1u);
  ASSERT_EQ(again.passed.size(), 2u);
  EXPECT_EQ(again.passed[0].place, "127.0.0.1:1");
  EXPECT_NE(again.passed[0].why.find("1 in flight"), std::string::npos);
}

TEST(EndpointPool, OfEquallyLoadedTheQuickerOneLately) {
  HandClock clock{1000};
  EndpointPool pool(kThree, clock, {.latency_half_life = 60});
  for (const double seconds : {0.9, 0.1, 0.5}) {
    pool.take().lease->end(CallEnd::Answered, seconds);
  }
  EXPECT_EQ(pool.take().lease->index(), 1u);
  // What was slow once is looked at again when that is long ago.
  for (int i = 0; i < 5; ++i) {
    clock.now += 60;
    pool.take({0, 2}).lease->end(CallEnd::Answered, 0.1);
  }
  EXPECT_NE(pool.take().lease->index(), 1u);
}

TEST(EndpointPool, WhatFailsIsLeftAloneAndSaysWhy) {
  HandClock clock{1000};
  int opened = 0;
  EndpointPool pool(kThree, clock, {.breaker = {.failures_to_open = 2, .open_seconds = 4}},
                    [&] { ++opened; });
  fail(pool, 0, 2);
  EXPECT_EQ(opened, 1);
  const auto choice = pool.take();
  EXPECT_EQ(choice.lease->index(), 1u);
  EXPECT_NE(choice.passed[0].why.find("circuit open"), std::string::npos);
  EXPECT_EQ(pool.health()[0].circuit, CircuitBreaker::State::Open);
  clock.now += 4;
  EXPECT_EQ(pool.health()[0].circuit, CircuitBreaker::State::HalfOpen);
  pool.take({1, 2}).lease->end(CallEnd::Answered, 0.1);
  EXPECT_EQ(pool.health()[0].circuit, CircuitBreaker::State::Closed);
}

TEST(EndpointPool, WhatAsksToBeLeftAloneIs) {
  HandClock clock{1000};
  EndpointPool pool({kThree[0]}, clock, {.busy_seconds = 1});
  pool.take().lease->end(CallEnd::Busy, 7);
  auto choice = pool.take();
  EXPECT_FALSE(choice.lease);
  EXPECT_EQ(choice.wait, 7);
  clock.now += 7;
  pool.take().lease->end(CallEnd::Busy);
  EXPECT_EQ(pool.take().wait, 1);
  clock.now += 1;
  pool.take().lease->end(CallEnd::Busy, 1e12);  // a date that is nonsense
  EXPECT_LE(pool.take().wait, 3600);
}

TEST(EndpointPool, AnOpenCircuitIsNotWaitedFor) {
  HandClock clock{1000};
  EndpointPool pool({kThree[0]}, clock, {.breaker = {.failures_to_open = 1}});
  fail(pool, 0, 1);
  const auto choice = pool.take();
  EXPECT_FALSE(choice.lease);
  EXPECT_EQ(choice.wait, EndpointPool::kNever);
}

TEST(EndpointPool, PlacesThatShareAHostAreToldApart) {
  HandClock clock{1000};
  const EndpointPool pool({"https://gw.example/a/v1", "https://gw.example/b/v1", kThree[0]}, clock);
  EXPECT_EQ(pool.place(0), "gw.example/a/v1");
  EXPECT_EQ(pool.place(1), "gw.example/b/v1");
  EXPECT_EQ(pool.place(2), "127.0.0.1:1");
}

TEST(EndpointProber, ClosesTheWayBackForUsersUntilAProbeAnswers) {
  const SystemClock clock;
  EndpointProber* prober = nullptr;
  EndpointPool pool({kThree[0]}, clock,
                    {.breaker = {.failures_to_open = 1, .open_seconds = 0.001, .probed = true}},
                    [&] { prober->wake(); });
  std::promise<std::string> asked;
  int probes = 0;
  EndpointProber own(pool, [&](const std::string& url, const StopFlag&) {
    if (++probes < 3) return false;
    if (probes == 3) asked.set_value(url);
    return true;
  });
  prober = &own;
  fail(pool, 0, 1);
  EXPECT_EQ(asked.get_future().get(), kThree[0]);
  while (pool.health()[0].circuit == CircuitBreaker::State::Open) std::this_thread::yield();
  EXPECT_EQ(pool.health()[0].circuit, CircuitBreaker::State::HalfOpen);
}

TEST(EndpointProber, AnyAnswerButAFailureIsALife) {
  using testing::http_reply;
  const StopFlag stop;
  const struct {
    std::string reply;
    bool alive;
  } cases[] = {{http_reply(200, "application/json", "{}"), true},
               {http_reply(401, "application/json", "{}"), true},
               {http_reply(302, "text/plain", "", "Location: http://127.0.0.1:1/\r\n"), true},
               {http_reply(503, "application/json", "{}"), false},
               {http_reply(429, "application/json", "{}"), false},
               {"", false}};
  for (const auto& one : cases) {
    testing::ScriptedServer server({one.reply});
    EXPECT_EQ(answers(server.url(), stop), one.alive) << one.reply;
    EXPECT_EQ(server.requests().at(0).rfind("GET /v1/models", 0), 0u);
  }
}

TEST(Retry, FullJitterIsSpreadOverAllOfTheTime) {
  const Backoff backoff{.first_seconds = 0.5, .max_seconds = 3};
  EXPECT_EQ(full_jitter(backoff, 0, 0), 0);
  EXPECT_EQ(full_jitter(backoff, 0, 0.5), 0.25);
  EXPECT_EQ(full_jitter(backoff, 2, 0.5), 1);
  EXPECT_EQ(full_jitter(backoff, 9, 0.5), 1.5);  // the maximum
  for (int i = 0; i < 100; ++i) {
    const double chance = fair_chance();
    EXPECT_TRUE(chance >= 0 && chance < 1) << chance;
  }
}

}  // namespace
}  // namespace tinyarms::remote
