// What writing the index takes: the configured encoder, the one that serves where that is another,
// and the library between them; and making the vectors of the one until it serves.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "catalog/installed_model.h"
#include "cli/context.h"
#include "corpus/indexer.h"
#include "service/cache_remake.h"
#include "service/model_pool.h"

namespace tinyarms::cli {

struct Workshop {
  service::Settings settings;
  catalog::InstalledModel model;  // the configured one
  std::unique_ptr<service::ModelPool> models;  // in which the encoders count
  std::unique_ptr<engine::Embedder> encoder;
  std::unique_ptr<engine::Embedder> serving;  // null: the configured one serves
  std::unique_ptr<corpus::Library> library;   // null: not wanted, or there is none

  corpus::Indexer indexer(Context& context);
};

struct WorkshopNeeds {
  bool rebuild = false;
  bool quiet = false;         // no notes: JSON is printed
  enum class Index { Make, IfThere, Without } index = Index::Make;
};
// Errors: those of the encoder and of the library.
Result<Workshop> open_workshop(const service::Settings& settings, const WorkshopNeeds& needs,
                               const Context& context);

struct Remade {
  corpus::RemakeReport index;
  service::CacheRemakeReport cache;
  bool interrupted() const { return index.interrupted || cache.interrupted; }
};
// The vectors of the configured encoder that are missing, of passages and of remembered questions:
// the cache's first, so that all of L1 changes with the index. Errors: those of Indexer::remake and
// remake_cache_vectors; what served does so still.
Result<Remade> remake_vectors(Workshop& work, Context& context);

// Of the cache alone. Errors: those of remake_cache_vectors.
Result<service::CacheRemakeReport> remake_cache(Workshop& work, Context& context);

std::string cache_remake_line(const service::CacheRemakeReport& report);  // empty: nothing was made
nlohmann::ordered_json cache_remake_json(const service::CacheRemakeReport& report);

}  // namespace tinyarms::cli
