#include "door/climbs.h"

#include <algorithm>
#include <cmath>
#include <system_error>

namespace tinyarms::door {
namespace {

// The highest level that would be asked.
std::optional<cascade::Level> last_of(const cascade::Trace& plan) {
  std::optional<cascade::Level> last;
  for (const cascade::Step& step : plan) {
    if (step.decision != cascade::Decision::Skip) last = step.level;
  }
  return last;
}

// Rules and remembered answers have nothing to say to what is put to one model, or made to order.
bool may_be_at_hand(const cascade::Request& request) {
  if (request.made_to_order) return false;
  return !request.only_level || *request.only_level <= cascade::Level::L1;
}

class Silent final : public cascade::Listener {};

// What was answered at hand, told as a climb would have.
void tell(Climb& climb, cascade::Reply reply) {
  for (const cascade::Step& step : reply.trace) climb.climber->step_finished(step);
  climb.climber->finished(std::move(reply));
}

}  // namespace

Climbs::Arrangement::Arrangement(const service::Settings& settings,
                                 const service::Surroundings& around, int workers)
    : settings_(settings),
      models_(std::make_shared<service::ModelPool>(settings, around.paths, around.clock,
                                                   around.physical_bytes, workers,
                                                   around.on_notice)),
      remotes_(settings, around.paths, around.clock, around.prices),
      around_(around) {
  around_.models = models_.get();
  around_.remotes = &remotes_;
}

const service::Assistant& Climbs::Arrangement::OnDemand::get(const Arrangement& arrangement) {
  std::call_once(once, [&] {
    assistant.emplace(arrangement.settings_, arrangement.around_, scope);
  });
  return *assistant;
}

Climbs::Climbs(const service::Settings& settings, const service::Surroundings& around,
               const ClimbOptions& options)
    : around_(around),
      options_(options),
      arrangement_(std::make_shared<const Arrangement>(settings, around, options.workers)) {
  workers_.emplace_back([this] { work(); });
  quick_worker_ = std::thread([this] { answer_at_hand(); });
}

Climbs::~Climbs() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  quick_.ready.notify_all();
  slow_.ready.notify_all();
  quick_worker_.join();
  for (std::thread& worker : workers_) worker.join();
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
    if (&lane == &slow_ && slow_.waiting.size() > idle_) add_worker();
  }
  lane.ready.notify_one();
  return true;
}

// With the lock held.
void Climbs::add_worker() {
  if (workers_.size() >= static_cast<size_t>(std::max(options_.workers, 1))) return;
  try {
    workers_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    // The machine has no further thread to give now: it goes on with those there are.
  }
}

bool Climbs::submit(Climb climb) {
  return push(may_be_at_hand(climb.request) ? quick_ : slow_, std::move(climb));
}

std::optional<Climb> Climbs::take(Lane& lane) {
  std::unique_lock lock(mutex_);
  const bool counts = &lane == &slow_;
  while (true) {
    idle_ += counts ? 1 : 0;
    lane.ready.wait(lock, [&] { return stopping_ || !lane.waiting.empty(); });
    idle_ -= counts ? 1 : 0;
    if (stopping_) return std::nullopt;
    Climb climb = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    if (!climb.stop->raised()) {
      running_ += counts ? 1 : 0;
      return climb;
    }
    ++abandoned_;
  }
}

void Climbs::answer_at_hand() {
  while (auto taken = take(quick_)) {
    Silent silent;
    cascade::Reply reply = arrangement()->at_hand().ask(taken->request, *taken->stop, silent);
    if (reply.sure) {
      tell(*taken, std::move(reply));
      continue;
    }
    const auto climber = taken->climber;
    if (!push(slow_, std::move(*taken))) climber->refused();
  }
}

void Climbs::work() {
  while (auto taken = take(slow_)) climb(arrangement()->whole(), *taken);
}

void Climbs::climb(const service::Assistant& assistant, Climb& climb) {
  const double begin = around_.clock.monotonic_seconds();
  climb.climber->planned(last_of(assistant.plan(climb.request)));
  cascade::Reply reply = assistant.ask(climb.request, *climb.stop, *climb.climber);
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

void Climbs::replace_settings(const service::Settings& settings) {
  auto next = std::make_shared<const Arrangement>(settings, around_, options_.workers);
  const std::lock_guard lock(mutex_);
  std::swap(arrangement_, next);
}

std::shared_ptr<const Climbs::Arrangement> Climbs::arrangement() const {
  const std::lock_guard lock(mutex_);
  return arrangement_;
}

std::shared_ptr<service::ModelPool> Climbs::models() const { return arrangement()->models(); }

ClimbCounts Climbs::counts() const {
  const std::lock_guard lock(mutex_);
  return {.waiting = slow_.waiting.size() + quick_.waiting.size(),
          .running = running_,
          .refused = refused_,
          .abandoned = abandoned_};
}

std::vector<service::UpstreamHealth> Climbs::upstreams() const {
  return arrangement()->remotes().health();
}

}  // namespace tinyarms::door
