// Climbs of the cascade for many clients at once, by a bounded queue: what answers at once (rules,
// remembered answers) has a lane of its own, so that it never waits behind a model; everything
// else goes to workers. Full, it refuses at once and says for how long.
//
// A worker is a thread and nothing more: all of them climb in one Assistant. They are started when
// a question finds none that is free, so that those which were never needed cost nothing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cascade/cascade.h"
#include "service/assistant.h"
#include "service/model_pool.h"
#include "service/remote_pool.h"

namespace tinyarms::door {

// One question under way. Called on a worker's thread.
class Climber : public cascade::Listener {
 public:
  // The highest level that may be asked, once it is known; what is below may still be replaced.
  virtual void planned(std::optional<cascade::Level> /*last*/) {}
  virtual void finished(cascade::Reply reply) = 0;
  // Nothing at hand answers it, and the queue for the rest is full.
  virtual void refused() = 0;
};

struct Climb {
  cascade::Request request;
  std::shared_ptr<const StopFlag> stop;
  std::shared_ptr<Climber> climber;
};

struct ClimbOptions {
  int workers = 1;  // at most
  size_t queue_max = 64;
};

struct ClimbCounts {
  size_t waiting = 0;
  size_t running = 0;
  uint64_t refused = 0;
  uint64_t abandoned = 0;  // the client had gone before its turn
};

class Climbs {
 public:
  Climbs(const service::Settings& settings, const service::Surroundings& around,
         const ClimbOptions& options);
  ~Climbs();  // stops what runs; what waits is dropped
  Climbs(const Climbs&) = delete;
  Climbs& operator=(const Climbs&) = delete;

  // False where the queue is full; nothing was taken then. Any thread.
  bool submit(Climb climb);

  // Seconds after which the queue is likely to have room, from how long climbs take.
  int retry_after() const;

  // What comes from now on is asked with these settings. Any thread.
  void replace_settings(const service::Settings& settings);

  // The models of those settings. Any thread.
  std::shared_ptr<service::ModelPool> models() const;

  ClimbCounts counts() const;
  // The addresses of the remote tier; empty where there is none.
  std::vector<service::UpstreamHealth> upstreams() const;
  // What the user should know about the set-up.
  std::vector<std::string> notices() const { return arrangement()->whole().notices(); }

 private:
  struct Lane {
    std::deque<Climb> waiting;
    std::condition_variable ready;
  };
  // What answers by one set of settings; lives as long as a climb in it does. What is used comes
  // before what uses it.
  class Arrangement {
   public:
    Arrangement(const service::Settings& settings, const service::Surroundings& around,
                int workers);
    // Made when first asked for.
    const service::Assistant& at_hand() const { return at_hand_.get(*this); }
    const service::Assistant& whole() const { return whole_.get(*this); }
    const std::shared_ptr<service::ModelPool>& models() const { return models_; }
    const service::RemotePool& remotes() const { return remotes_; }

   private:
    struct OnDemand {
      const service::Assistant& get(const Arrangement& arrangement);
      service::Assistant::Scope scope;
      std::once_flag once = {};
      std::optional<service::Assistant> assistant = {};
    };
    service::Settings settings_;
    std::shared_ptr<service::ModelPool> models_;
    service::RemotePool remotes_;
    service::Surroundings around_;
    mutable OnDemand at_hand_{service::Assistant::Scope::AtHand};
    mutable OnDemand whole_{service::Assistant::Scope::Whole};
  };

  std::shared_ptr<const Arrangement> arrangement() const;
  void answer_at_hand();
  void work();
  std::optional<Climb> take(Lane& lane);
  bool push(Lane& lane, Climb climb);
  void add_worker();
  void climb(const service::Assistant& assistant, Climb& climb);

  service::Surroundings around_;
  ClimbOptions options_;
  mutable std::mutex mutex_;
  Lane quick_;
  Lane slow_;
  std::shared_ptr<const Arrangement> arrangement_;
  bool stopping_ = false;
  size_t idle_ = 0;  // workers that wait for a climb
  size_t running_ = 0;
  uint64_t refused_ = 0;
  uint64_t abandoned_ = 0;
  double seconds_each_ = 1;  // moving mean over climbs of the slow lane
  std::vector<std::thread> workers_;
  std::thread quick_worker_;
};

}  // namespace tinyarms::door
