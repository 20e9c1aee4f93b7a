// Models that answer in one pass (embeddings, reranking, counting tokens), loaded when first asked
// for and kept. One thread computes with them, fed by a bounded queue that refuses when full: a
// question that climbs never waits behind it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/paths.h"
#include "base/result.h"
#include "base/stop_flag.h"
#include "door/answering.h"
#include "engine/embedder.h"
#include "engine/token_counter.h"
#include "service/model_pool.h"
#include "service/reranking.h"

namespace tinyarms::door {

class Encoders {
 public:
  struct Errand {
    std::shared_ptr<const StopFlag> stop;  // raised: nobody waits for it any more
    std::function<void(Encoders&)> run;    // on the thread of the encoders
  };

  // In whose memory budget they count, whenever the settings have changed.
  using Models = std::function<std::shared_ptr<service::ModelPool>()>;

  // All outlive it.
  Encoders(const LiveSettings& settings, const Paths& paths, size_t queue_max, Models models);
  ~Encoders();  // what waits is dropped
  Encoders(const Encoders&) = delete;
  Encoders& operator=(const Encoders&) = delete;

  // False where the queue is full; nothing was taken then. Any thread.
  bool submit(Errand errand);

  // What was loaded by other settings than those in force goes, now and not with the next errand.
  // Any thread.
  void settings_changed();

  // Within an errand only. Models by their exact names; errors: those of loading.
  Result<engine::Embedder*> embedder(const std::string& model);
  Result<service::LoadedReranker*> reranker(const service::RerankChoice& choice);
  Result<const engine::TokenCounter*> counter(const std::string& model);

 private:
  // The latest first; few, because each is a model in memory.
  template <typename Model>
  using Shelf = std::list<std::pair<std::string, std::unique_ptr<Model>>>;

  void work();
  void follow_settings();
  service::Counting counted(const char* use) const { return {&pool_->shelf(), use}; }

  const LiveSettings& live_;
  const Paths& paths_;
  size_t queue_max_;
  Models models_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Errand> waiting_;
  bool stopping_ = false;
  // Of the thread alone:
  std::shared_ptr<const service::Settings> settings_;
  std::shared_ptr<service::ModelPool> pool_;  // outlives what is counted in it
  Shelf<engine::Embedder> embedders_;
  Shelf<service::LoadedReranker> rerankers_;
  Shelf<const engine::TokenCounter> counters_;
  std::thread thread_;
};

}  // namespace tinyarms::door
