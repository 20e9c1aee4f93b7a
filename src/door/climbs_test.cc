#include "door/climbs.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <set>

namespace tinyarms::door {
namespace {

using namespace std::chrono_literals;

// Answers with the question, once as many are asking at the same time as are expected.
class Meeting final : public tiers::RemoteEngine {
 public:
  explicit Meeting(size_t expected) : expected_(expected) {}

  Result<cascade::Attempt> complete(const cascade::Request& request, const cascade::Trace&,
                                    const StopFlag& stop, cascade::Listener& listener) override {
    std::unique_lock lock(mutex_);
    most_ = std::max(most_, ++here_);
    threads_.insert(std::this_thread::get_id());
    if (most_ >= expected_) complete_.notify_all();
    complete_.wait_for(lock, 60s, [&] { return most_ >= expected_ || stop.raised(); });
    --here_;
    lock.unlock();
    listener.text_generated(cascade::Level::L4, request.question());
    cascade::Attempt attempt;
    attempt.answered = true;
    attempt.answer = request.question();
    return attempt;
  }

  size_t most() const {
    const std::lock_guard lock(mutex_);
    return most_;
  }
  size_t threads() const {
    const std::lock_guard lock(mutex_);
    return threads_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable complete_;
  std::set<std::thread::id> threads_;
  size_t expected_;
  size_t here_ = 0;
  size_t most_ = 0;
};

class Asker final : public Climber {
 public:
  void text_generated(cascade::Level, std::string_view piece) override { heard_ += piece; }
  void finished(cascade::Reply reply) override {
    const cascade::Step* step = reply.step();
    answer_.set_value(step != nullptr && step->attempt.answer == heard_ ? heard_ : "nothing");
  }
  void refused() override { answer_.set_value("refused"); }

  std::string answer() {
    auto answer = answer_.get_future();
    return answer.wait_for(120s) == std::future_status::ready ? answer.get() : "too late";
  }

 private:
  std::string heard_;
  std::promise<std::string> answer_;
};

class ClimbsTest : public ::testing::Test {
 protected:
  ClimbsTest()
      : folder_(std::filesystem::temp_directory_path() /
                fmt::format("tinyarms-climbs-{}-{}", ::getpid(),
                            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(folder_);
    settings_.offline = false;
    settings_.l4.urls = {"http://127.0.0.1:1/v1"};
  }
  ~ClimbsTest() override { std::filesystem::remove_all(folder_); }

  service::Surroundings around(tiers::RemoteEngine& engine) const {
    Paths paths;
    paths.data_dir = folder_ / "data";
    paths.cache_dir = folder_ / "cache";
    paths.models_dir = folder_ / "models";
    return {.paths = paths, .clock = clock_, .physical_bytes = 1 << 30, .remote = &engine};
  }

  // Puts a question to L4 alone.
  std::shared_ptr<Asker> ask(Climbs& climbs, const std::string& question) const {
    cascade::Request request = service::make_request(settings_);
    request.messages.push_back({cascade::Role::User, question});
    request.only_level = cascade::Level::L4;
    auto asker = std::make_shared<Asker>();
    if (!climbs.submit({std::move(request), std::make_shared<StopFlag>(), asker})) {
      asker->refused();
    }
    return asker;
  }

  std::filesystem::path folder_;
  SystemClock clock_;
  service::Settings settings_;
};

TEST_F(ClimbsTest, AsManyClimbAtOnceAsThereMayBeWorkersEachWithItsOwnAnswer) {
  constexpr size_t kAtOnce = 128;
  Meeting meeting(kAtOnce);
  Climbs climbs(settings_, around(meeting), {.workers = kAtOnce, .queue_max = kAtOnce});
  std::vector<std::shared_ptr<Asker>> askers;
  for (size_t i = 0; i < kAtOnce; ++i) askers.push_back(ask(climbs, fmt::format("{}", i)));
  for (size_t i = 0; i < kAtOnce; ++i) EXPECT_EQ(askers[i]->answer(), fmt::format("{}", i));
  EXPECT_EQ(meeting.most(), kAtOnce);
  EXPECT_EQ(climbs.counts().running, 0U);
}

TEST_F(ClimbsTest, AWorkerThatIsFreeIsTakenBeforeAnotherIsStarted) {
  Meeting meeting(1);
  Climbs climbs(settings_, around(meeting), {.workers = 64, .queue_max = 64});
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ask(climbs, "again")->answer(), "again");
    // The answer is told before its worker is free again.
    while (climbs.counts().running > 0) std::this_thread::yield();
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_LE(meeting.threads(), 8U) << "of 64 that it might have started";
}

TEST_F(ClimbsTest, NewSettingsHoldForTheNextClimbAndLeaveTheOneUnderWayAlone) {
  Meeting meeting(2);
  Climbs climbs(settings_, around(meeting), {.workers = 2, .queue_max = 4});
  const auto before = ask(climbs, "before");
  while (meeting.most() < 1) std::this_thread::yield();
  service::Settings offline = settings_;
  offline.offline = true;
  climbs.replace_settings(offline);
  EXPECT_EQ(ask(climbs, "meanwhile")->answer(), "nothing") << "L4 is off now";
  climbs.replace_settings(settings_);
  EXPECT_EQ(ask(climbs, "after")->answer(), "after") << "which lets both go on";
  EXPECT_EQ(before->answer(), "before");
}

}  // namespace
}  // namespace tinyarms::door
