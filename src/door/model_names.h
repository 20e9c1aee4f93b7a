// What a client may name as its model: the cascade (auto, auto:fast, auto:balanced, auto:best),
// one tier (l0 … l4), or a model of the catalogue.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cascade/request.h"
#include "catalog/model_store.h"
#include "openai/api_error.h"
#include "service/settings.h"

namespace tinyarms::door {

struct ModelEntry {
  std::string name;
  std::string kind;         // "cascade", "tier", "language", "encoder"
  std::string description;
};

// Thread-safe.
class ModelNames {
 public:
  // `clock` outlives it.
  ModelNames(std::filesystem::path models_dir, const Clock& clock)
      : store_(std::move(models_dir)), clock_(clock) {}

  // Everything that may be named, cascade first.
  std::vector<ModelEntry> list(const service::Settings& settings) const;
  std::optional<ModelEntry> find(const std::string& name, const service::Settings&) const;

  // Bends `request` to what the name means. Errors as the client expects them: 404 for a name
  // that is none, 400 for an encoder.
  std::optional<openai::ApiError> apply(const std::string& name, const service::Settings& settings,
                                        cascade::Request& request) const;

  const catalog::ModelStore& store() const { return store_; }

 private:
  std::vector<catalog::InstalledModel> installed() const;

  catalog::ModelStore store_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  mutable std::vector<catalog::InstalledModel> installed_;
  mutable double read_at_ = -1e9;
};

}  // namespace tinyarms::door
