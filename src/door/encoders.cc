#include "door/encoders.h"

#include <algorithm>

#include "catalog/model_store.h"
#include "service/counted_models.h"

namespace tinyarms::door {
namespace {

constexpr size_t kKeptMax = 2;  // of each kind

template <typename Model, typename Load>
Result<Model*> take(std::list<std::pair<std::string, std::unique_ptr<Model>>>& shelf,
                    const std::string& name, Load load) {
  const auto found = std::find_if(shelf.begin(), shelf.end(),
                                  [&](const auto& one) { return one.first == name; });
  if (found != shelf.end()) {
    shelf.splice(shelf.begin(), shelf, found);
    return shelf.front().second.get();
  }
  while (shelf.size() >= kKeptMax) shelf.pop_back();  // before the next one comes
  Result<std::unique_ptr<Model>> loaded = load();
  if (!loaded) return loaded.error();
  shelf.emplace_front(name, std::move(*loaded));
  return shelf.front().second.get();
}

}  // namespace

Encoders::Encoders(const LiveSettings& settings, const Paths& paths, size_t queue_max,
                   Models models)
    : live_(settings),
      paths_(paths),
      queue_max_(queue_max),
      models_(std::move(models)),
      thread_([this] { work(); }) {}

Encoders::~Encoders() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  thread_.join();
}

bool Encoders::submit(Errand errand) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= queue_max_) {
      std::erase_if(waiting_, [](const Errand& one) { return one.stop->raised(); });
    }
    if (stopping_ || waiting_.size() >= queue_max_) return false;
    waiting_.push_back(std::move(errand));
  }
  ready_.notify_one();
  return true;
}

// An errand like any other; where the queue is full, those in it do the same.
void Encoders::settings_changed() {
  submit({std::make_shared<StopFlag>(), [](Encoders&) {}});
}

void Encoders::work() {
  while (true) {
    Errand errand;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      errand = std::move(waiting_.front());
      waiting_.pop_front();
    }
    if (errand.stop->raised()) continue;
    follow_settings();
    errand.run(*this);
  }
}

// What is loaded was loaded by the settings of then.
void Encoders::follow_settings() {
  auto now = live_.get();
  if (now == settings_) return;
  settings_ = std::move(now);
  embedders_.clear();
  rerankers_.clear();
  counters_.clear();
  pool_ = models_();
}

Result<engine::Embedder*> Encoders::embedder(const std::string& model) {
  return take(embedders_, model, [&]() -> Result<std::unique_ptr<engine::Embedder>> {
    auto found = catalog::ModelStore(paths_.models_dir).find(model);
    if (!found) return found.error();
    return service::load_counted_encoder(found->path, settings_->threads, counted("embeddings"));
  });
}

Result<service::LoadedReranker*> Encoders::reranker(const service::RerankChoice& choice) {
  const std::string name =
      (choice.method ? std::string(service::name_of(*choice.method)) : "") + "/" + choice.model;
  return take(rerankers_, name, [&]() -> Result<std::unique_ptr<service::LoadedReranker>> {
    auto loaded = service::load_reranker(choice, *settings_, paths_, counted("rerank"));
    if (!loaded) return loaded.error();
    return std::make_unique<service::LoadedReranker>(std::move(*loaded));
  });
}

Result<const engine::TokenCounter*> Encoders::counter(const std::string& model) {
  return take(counters_, model, [&]() -> Result<std::unique_ptr<const engine::TokenCounter>> {
    auto found = catalog::ModelStore(paths_.models_dir).find(model);
    if (!found) return found.error();
    return engine::TokenCounter::load(found->path);
  });
}

}  // namespace tinyarms::door
