// Which index belongs to these settings, and the encoder that it needs: the configured one, or the
// one before where the new vectors are still being made (decision 0129).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/paths.h"
#include "base/result.h"
#include "catalog/installed_model.h"
#include "corpus/library.h"
#include "engine/embedder.h"
#include "service/counted_models.h"
#include "service/settings.h"

namespace tinyarms::service {

// What a cached or indexed thing is bound to. Hashing gigabytes at every start is no option for a
// file outside the store: there, path, size and modification time stand for its content.
std::string identity_of(const catalog::InstalledModel& model);

std::filesystem::path library_folder(const Paths& paths);

// Errors: NotFound, Corrupt (of l1.model); those of load_counted_encoder.
Result<catalog::InstalledModel> encoder_model(const Settings& settings, const Paths& paths);
Result<std::unique_ptr<engine::Embedder>> load_encoder(const catalog::InstalledModel& model,
                                                       const Settings& settings,
                                                       const Counting& counting = {});

// `dimensions`: of the encoder, 0 where it is not loaded.
corpus::LibraryOptions library_options(const catalog::InstalledModel& model,
                                       const Settings& settings, const Paths& paths,
                                       size_t dimensions);

// The model that made vectors, by the contents of its file, whatever it is called now. Errors:
// NotFound (it is not here any more), Io.
Result<catalog::InstalledModel> find_maker(const corpus::VectorMaker& maker, const Paths& paths);

struct SearchableIndex {
  std::unique_ptr<corpus::Library> library = {};
  std::optional<catalog::InstalledModel> encoder = {};  // for questions; none: words alone
  std::string notice = {};  // of damage, and of vectors that are still being made
};
// Errors: those of Library::open. A configured encoder that is not there is told in the notice.
Result<SearchableIndex> open_to_search(const Settings& settings, const Paths& paths,
                                       const Clock& clock);

corpus::FusionWeights fusion_weights(const Settings& settings);

// The question as the encoder wants it: with the words before it that the model was trained with,
// and cut to a length beyond which a question says nothing new.
std::string query_text(const engine::Embedder& encoder, std::string_view question);

}  // namespace tinyarms::service
