#include "tracing/exporter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "tracing/climb_test.h"

namespace tinyarms::tracing {
namespace {

constexpr uint64_t kSpans = 5;  // of served_climb()

// Answers with what is scripted, the last of it again and again, and remembers what it was sent.
class ScriptedCollector {
 public:
  ScriptedCollector(std::initializer_list<Delivery> script) : script_(script) {}

  Courier courier() {
    return [this](const std::string& body, const StopFlag& stop) { return take(body, stop); };
  }

  // Keeps the request that comes next until it is let go.
  void hold() { held_ = true; }
  void let_go() { held_ = false; }
  void wait_until_asked() const {
    while (calls_ == 0) std::this_thread::yield();
  }

  int calls() const { return calls_; }
  std::vector<std::string> bodies() const {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }
  uint64_t spans_taken() const {
    uint64_t spans = 0;
    for (const std::string& body : bodies()) {
      const auto json = nlohmann::json::parse(body);
      spans += json.at("resourceSpans").at(0).at("scopeSpans").at(0).at("spans").size();
    }
    return spans;
  }

 private:
  Delivery take(const std::string& body, const StopFlag& stop) {
    const auto call = static_cast<size_t>(calls_++);
    while (held_ && !stop.raised()) std::this_thread::yield();
    if (stop.raised()) return {.problem = "stopped"};
    const Delivery delivery = script_[std::min(call, script_.size() - 1)];
    const std::lock_guard lock(mutex_);
    if (delivery.status == 200) bodies_.push_back(body);
    return delivery;
  }

  std::vector<Delivery> script_;
  std::atomic<int> calls_{0};
  std::atomic<bool> held_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> bodies_;
};

// Everything at once, and no pause worth the name.
ExportTerms quick() {
  return {.batch_spans_max = kSpans,
          .delay_seconds = 0,
          .flush_seconds = 60,
          .tries_max = 4,
          .backoff = {.first_seconds = 0, .max_seconds = 0}};
}

uint64_t accounted(const ExportCounts& counts) {
  return counts.sent + counts.dropped_full + counts.dropped_undelivered + counts.dropped_at_end +
         counts.rejected + counts.waiting;
}

TEST(Exporter, SendsWhatItIsTold) {
  ScriptedCollector collector{{.status = 200}};
  Exporter exporter(collector.courier(), quick(), {}, {});
  for (int i = 0; i < 20; ++i) exporter.add(served_climb());
  exporter.finish();
  EXPECT_EQ(exporter.counts().sent, 20 * kSpans);
  EXPECT_EQ(collector.spans_taken(), 20 * kSpans);
  EXPECT_EQ(exporter.problem(), "");
}

TEST(Exporter, WaitsForOthersToGoWithIt) {
  ScriptedCollector collector{{.status = 200}};
  ExportTerms terms = quick();
  terms.batch_spans_max = 100 * kSpans;
  terms.delay_seconds = 3600;
  Exporter exporter(collector.courier(), terms, {}, {});
  for (int i = 0; i < 20; ++i) exporter.add(served_climb());
  EXPECT_EQ(collector.calls(), 0);
  exporter.finish();
  EXPECT_EQ(collector.calls(), 1);
  EXPECT_EQ(exporter.counts().sent, 20 * kSpans);
}

TEST(Exporter, MakesNoThreadForNothing) {
  ScriptedCollector collector{{.status = 200}};
  Exporter exporter(collector.courier(), quick(), {}, {});
  exporter.finish();
  EXPECT_EQ(collector.calls(), 0);
}

TEST(Exporter, AFullQueueDropsAndCounts) {
  ScriptedCollector collector{{.status = 200}};
  collector.hold();
  ExportTerms terms = quick();
  terms.queue_spans_max = 10 * kSpans;
  Exporter exporter(collector.courier(), terms, {}, {});
  exporter.add(served_climb());
  collector.wait_until_asked();
  // Nobody has let it go, and yet each of these returns.
  for (int i = 0; i < 1000; ++i) exporter.add(served_climb());
  EXPECT_EQ(exporter.counts().dropped_full, 990 * kSpans);
  EXPECT_EQ(exporter.counts().waiting, 11 * kSpans);
  EXPECT_EQ(accounted(exporter.counts()), 1001 * kSpans);
  collector.let_go();
  exporter.finish();
  EXPECT_EQ(exporter.counts().sent, 11 * kSpans);
  EXPECT_EQ(collector.spans_taken(), 11 * kSpans);
  EXPECT_EQ(accounted(exporter.counts()), 1001 * kSpans);
}

TEST(Exporter, AQueueIsFullOfBytesToo) {
  ScriptedCollector collector{{.status = 200}};
  collector.hold();
  ExportTerms terms = quick();
  terms.queue_bytes_max = 1 << 20;
  Exporter exporter(collector.courier(), terms, {}, {});
  exporter.add(served_climb());
  collector.wait_until_asked();
  ClimbNote large = served_climb();
  large.question = std::string(700'000, 'x');
  exporter.add(large);
  exporter.add(large);
  EXPECT_EQ(exporter.counts().waiting, 2 * kSpans);
  EXPECT_EQ(exporter.counts().dropped_full, kSpans);
  collector.let_go();
}

TEST(Exporter, WhatIsRefusedForNowIsSentAgain) {
  for (const int status : {429, 502, 503, 504, 0}) {
    ScriptedCollector collector{
        {.status = status, .problem = "nobody there"}, {.status = status}, {.status = 200}};
    Exporter exporter(collector.courier(), quick(), {}, {});
    exporter.add(served_climb());
    while (exporter.counts().sent == 0) std::this_thread::yield();
    EXPECT_EQ(collector.calls(), 3) << status;
    EXPECT_EQ(exporter.counts().failed_tries, 2) << status;
    EXPECT_EQ(exporter.problem(), "");
    exporter.finish();
    EXPECT_EQ(accounted(exporter.counts()), kSpans);
  }
}

TEST(Exporter, WhatIsRefusedForGoodIsNot) {
  for (const int status : {301, 400, 401, 404, 408, 413, 500, 501}) {
    ScriptedCollector collector{{.status = status}, {.status = 200}};
    Exporter exporter(collector.courier(), quick(), {}, {});
    exporter.add(served_climb());
    exporter.add(served_climb());
    exporter.finish();
    EXPECT_EQ(collector.calls(), 2) << status;
    EXPECT_EQ(exporter.counts().dropped_undelivered, kSpans) << status;
    EXPECT_EQ(exporter.counts().sent, kSpans) << status;
  }
}

TEST(Exporter, TriesEnd) {
  ScriptedCollector collector{{.status = 503}};
  Exporter exporter(collector.courier(), quick(), {}, {});
  exporter.add(served_climb());
  while (exporter.counts().dropped_undelivered == 0) std::this_thread::yield();
  EXPECT_EQ(collector.calls(), 4);
  EXPECT_EQ(exporter.problem(), "HTTP 503");
  EXPECT_EQ(exporter.counts().dropped_undelivered, kSpans);
}

TEST(Exporter, RetryAfterIsWaitedFor) {
  ScriptedCollector collector{{.status = 429, .retry_after_seconds = 200}, {.status = 200}};
  Exporter exporter(collector.courier(), quick(), {}, {});
  exporter.add(served_climb());
  while (exporter.counts().failed_tries == 0) std::this_thread::yield();
  // The pause of the backoff is over by now many times; only the end of the process ends this one,
  // and then it is not asked either: it said not now.
  exporter.finish();
  EXPECT_EQ(collector.calls(), 1);
  EXPECT_EQ(exporter.counts().dropped_at_end, kSpans);
}

TEST(Exporter, AtTheEndEachBatchHasOneTry) {
  ScriptedCollector collector{{.status = 0, .problem = "nobody there"}};
  ExportTerms terms = quick();
  terms.delay_seconds = 3600;
  terms.batch_spans_max = 2 * kSpans;
  Exporter exporter(collector.courier(), terms, {}, {});
  exporter.add(served_climb());
  exporter.finish();
  EXPECT_EQ(collector.calls(), 1);
  EXPECT_EQ(exporter.counts().dropped_at_end, kSpans);
  exporter.add(served_climb());
  EXPECT_EQ(exporter.counts().dropped_at_end, 2 * kSpans);
}

TEST(Exporter, OneThatHangsIsLeft) {
  ScriptedCollector collector{{.status = 200}};
  collector.hold();
  ExportTerms terms = quick();
  terms.flush_seconds = 0.01;
  Exporter exporter(collector.courier(), terms, {}, {});
  for (int i = 0; i < 8; ++i) exporter.add(served_climb());
  exporter.finish();  // returns, though nobody lets it go
  EXPECT_EQ(exporter.counts().sent, 0);
  EXPECT_EQ(exporter.counts().dropped_at_end, 8 * kSpans);
}

TEST(Exporter, WhatTheCollectorRejectsIsCounted) {
  ScriptedCollector collector{
      {.status = 200, .reply = R"({"partialSuccess":{"rejectedSpans":"2"}})"}};
  Exporter exporter(collector.courier(), quick(), {}, {});
  exporter.add(served_climb());
  exporter.finish();
  EXPECT_EQ(exporter.counts().sent, kSpans - 2);
  EXPECT_EQ(exporter.counts().rejected, 2);
  EXPECT_EQ(accounted(exporter.counts()), kSpans);
}

TEST(Exporter, ManyTellItAtOnce) {
  ScriptedCollector collector{{.status = 200}, {.status = 503}, {.status = 200}};
  ExportTerms terms = quick();
  terms.batch_spans_max = 4 * kSpans;
  terms.queue_spans_max = 40 * kSpans;
  Exporter exporter(collector.courier(), terms, {}, {});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 100; ++k) exporter.add(served_climb());
    });
  }
  for (std::thread& thread : threads) thread.join();
  exporter.finish();
  EXPECT_EQ(accounted(exporter.counts()), 400 * kSpans);
  EXPECT_EQ(collector.spans_taken(), exporter.counts().sent);
}

}  // namespace
}  // namespace tinyarms::tracing
