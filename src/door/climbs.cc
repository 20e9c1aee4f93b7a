#include "door/climbs.h"

#include <algorithm>
#include <cmath>

namespace tinyarms::door {
namespace {

using AnswerScope = service::Assistant::Scope;

// The highest level that would be asked.
std::optional<cascade::Level> last_of(const cascade::Trace& plan) {
  std::optional<cascade::Level> last;
  for (const cascade::Step& step : plan) {
    if (step.decision != cascade::Decision::Skip) last = step.level;
  }
  return last;
}

class Silent final : public cascade::Listener {};

// What was answered at hand, told as a climb would have.
void tell(Climb& climb, cascade::Reply reply) {
  for (const cascade::Step& step : reply.trace) climb.climber->step_finished(step);
  climb.climber->finished(std::move(reply));
}

}  // namespace

Climbs::Climbs(const service::Settings& settings, const service::Surroundings& around,
               const ClimbOptions& options)
    : around_(around), options_(options), arrangement_(arrange(settings, 1)) {
  threads_.emplace_back([this] { work(quick_, AnswerScope::AtHand); });
  for (int i = 0; i < options_.workers; ++i) {
    threads_.emplace_back([this] { work(slow_, AnswerScope::Whole); });
  }
}

Climbs::~Climbs() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  quick_.ready.notify_all();
  slow_.ready.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Climbs::push(Lane& lane, Climb climb) {
  {
    const std::lock_guard lock(mutex_);
    if (lane.waiting.size() >= options_.queue_max) {
      // Whoever has gone makes room.
      const size_t before = lane.waiting.size();
      std::erase_if(lane.waiting, [](const Climb& one) { return one.stop->raised(); });
      abandoned_ += before - lane.waiting.size();
    }
    if (stopping_ || lane.waiting.size() >= options_.queue_max) {
      ++refused_;
      return false;
    }
    lane.waiting.push_back(std::move(climb));
  }
  lane.ready.notify_one();
  return true;
}

bool Climbs::submit(Climb climb) {
  return push(climb.at_hand ? quick_ : slow_, std::move(climb));
}

std::optional<Climb> Climbs::take(Lane& lane) {
  std::unique_lock lock(mutex_);
  while (true) {
    lane.ready.wait(lock, [&] { return stopping_ || !lane.waiting.empty(); });
    if (stopping_) return std::nullopt;
    Climb climb = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    if (!climb.stop->raised()) {
      if (&lane == &slow_) ++running_;
      return climb;
    }
    ++abandoned_;
  }
}

void Climbs::work(Lane& lane, AnswerScope scope) {
  std::shared_ptr<service::ModelPool> models;  // outlive the assistant
  std::shared_ptr<service::RemotePool> remotes;
  std::unique_ptr<service::Assistant> assistant;
  uint64_t version = 0;
  while (auto taken = take(lane)) {
    {
      std::unique_lock lock(mutex_);
      if (version != arrangement_.version) {
        const Arrangement now = arrangement_;
        lock.unlock();
        assistant.reset();  // its models go before the next ones come
        models = now.models;
        remotes = now.remotes;
        service::Surroundings around = around_;
        around.models = models.get();
        around.remotes = remotes.get();
        assistant = std::make_unique<service::Assistant>(now.settings, around, scope);
        version = now.version;
        lock.lock();
        notices_ = assistant->notices();
      }
    }
    if (scope == AnswerScope::Whole) {
      climb(*assistant, *taken);
      continue;
    }
    Silent silent;
    cascade::Reply reply = assistant->ask(taken->request, *taken->stop, silent, taken->folder);
    if (reply.sure) {
      tell(*taken, std::move(reply));
      continue;
    }
    const auto climber = taken->climber;
    if (!push(slow_, std::move(*taken))) climber->refused();
  }
}

void Climbs::climb(service::Assistant& assistant, Climb& climb) {
  const double begin = around_.clock.monotonic_seconds();
  climb.climber->planned(last_of(assistant.plan(climb.request)));
  cascade::Reply reply = assistant.ask(climb.request, *climb.stop, *climb.climber, climb.folder);
  const double seconds = around_.clock.monotonic_seconds() - begin;
  {
    const std::lock_guard lock(mutex_);
    --running_;
    seconds_each_ += (seconds - seconds_each_) / 8;
  }
  climb.climber->finished(std::move(reply));
}

int Climbs::retry_after() const {
  const std::lock_guard lock(mutex_);
  const double waiting = static_cast<double>(slow_.waiting.size() + running_);
  const double seconds = seconds_each_ * waiting / std::max(options_.workers, 1) / 2;
  return static_cast<int>(std::clamp(std::ceil(seconds), 1.0, 120.0));
}

Climbs::Arrangement Climbs::arrange(const service::Settings& settings, uint64_t version) const {
  return {settings, version,
          std::make_shared<service::ModelPool>(settings, around_.paths, around_.clock,
                                               around_.physical_bytes, options_.workers,
                                               around_.on_notice),
          std::make_shared<service::RemotePool>(settings, around_.paths, around_.clock,
                                                around_.prices)};
}

void Climbs::replace_settings(const service::Settings& settings) {
  Arrangement next = arrange(settings, 0);  // before the lock; what it replaces goes after it
  const std::lock_guard lock(mutex_);
  next.version = arrangement_.version + 1;
  std::swap(arrangement_, next);
}

std::shared_ptr<service::ModelPool> Climbs::models() const {
  const std::lock_guard lock(mutex_);
  return arrangement_.models;
}

ClimbCounts Climbs::counts() const {
  const std::lock_guard lock(mutex_);
  return {.waiting = slow_.waiting.size() + quick_.waiting.size(),
          .running = running_,
          .refused = refused_,
          .abandoned = abandoned_};
}

std::vector<service::UpstreamHealth> Climbs::upstreams() const {
  std::shared_ptr<service::RemotePool> remotes;
  {
    const std::lock_guard lock(mutex_);
    remotes = arrangement_.remotes;
  }
  return remotes->health();
}

std::vector<std::string> Climbs::notices() const {
  const std::lock_guard lock(mutex_);
  return notices_;
}

}  // namespace tinyarms::door
