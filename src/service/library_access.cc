#include "service/library_access.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <vector>

#include "base/utf8.h"
#include "catalog/model_store.h"
#include "encoder/model_manners.h"

namespace tinyarms::service {
namespace {

constexpr size_t kQueryBytesMax = 2000;

}  // namespace

std::string identity_of(const catalog::InstalledModel& model) {
  if (!model.sha256.empty()) return model.sha256;
  struct stat status {};
  if (::stat(model.path.c_str(), &status) != 0) return model.path.string();
  return fmt::format("{} {} {}.{}", model.path.string(), status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec);
}

std::filesystem::path library_folder(const Paths& paths) { return paths.data_dir / "index"; }

Result<catalog::InstalledModel> encoder_model(const Settings& settings, const Paths& paths) {
  if (settings.l1.model.empty()) {
    return Error{ErrorCode::NotFound, "no embedding model is configured", "l1.model",
                 "tinyarms models list shows those that are installed"};
  }
  auto model = catalog::ModelStore(paths.models_dir).find(settings.l1.model);
  if (!model) return model.error();
  if (!model->problem.empty()) {
    return Error{ErrorCode::Corrupt, model->problem, model->path.string(),
                 "import the model again: tinyarms models import …"};
  }
  return model;
}

Result<std::unique_ptr<engine::Embedder>> load_encoder(const catalog::InstalledModel& model,
                                                       const Settings& settings,
                                                       const Counting& counting) {
  return load_counted_encoder(model.path, settings.threads, counting);
}

corpus::LibraryOptions library_options(const catalog::InstalledModel& model,
                                       const Settings& settings, const Paths& paths,
                                       size_t dimensions) {
  return {.folder = library_folder(paths),
          .wanted = {.model = model.name,
                     .model_id = identity_of(model),
                     .dimensions = dimensions},
          .keep_old_bytes = settings.l1.index_keep_old.value_or(kAutoKeepOldBytes)};
}

Result<catalog::InstalledModel> find_maker(const corpus::VectorMaker& maker, const Paths& paths) {
  const catalog::ModelStore store(paths.models_dir);
  std::vector<std::string> names = {maker.model};
  // One outside of the store is known by "path size time".
  const std::string& id = maker.model_id;
  if (const size_t time = id.rfind(' '); id.starts_with('/') && time != id.npos && time > 0) {
    names.push_back(id.substr(0, id.rfind(' ', time - 1)));
  }
  for (const std::string& name : names) {
    auto model = store.find(name);
    if (model && model->problem.empty() && identity_of(*model) == id) return model;
  }
  auto all = store.list();
  if (!all) return all.error();
  for (catalog::InstalledModel& model : *all) {
    if (model.problem.empty() && identity_of(model) == id) return std::move(model);
  }
  return Error{ErrorCode::NotFound, "is not installed any more", maker.model,
               "tinyarms index update makes vectors with the configured model"};
}

Result<SearchableIndex> open_to_search(const Settings& settings, const Paths& paths,
                                       const Clock& clock) {
  SearchableIndex index;
  corpus::LibraryOptions options{.folder = library_folder(paths)};
  const auto tell = [&](const std::string& more) {
    if (!more.empty()) index.notice += (index.notice.empty() ? "" : "; ") + more;
  };
  auto configured = encoder_model(settings, paths);
  if (configured) options = library_options(*configured, settings, paths, 0);
  auto library = corpus::Library::open(options, clock);
  if (!library) return library.error();
  index.library = std::move(*library);
  tell(index.library->notice());
  if (!configured) tell("l1.model cannot be used: " + configured.error().message());
  auto remaking = index.library->remaking_text();
  if (!remaking) return remaking.error();
  const corpus::VectorMaker* maker = index.library->maker();
  if (maker == nullptr) {
    tell(*remaking);
    return index;
  }
  auto encoder = find_maker(*maker, paths);
  if (encoder) {
    index.encoder = std::move(*encoder);
    tell(*remaking);
  } else {
    tell(fmt::format("searching by words alone: {}", encoder.error().message()));
  }
  return index;
}

corpus::FusionWeights fusion_weights(const Settings& settings) {
  return {.words = settings.l1.index_word_weight, .vectors = settings.l1.index_vector_weight};
}

std::string query_text(const engine::Embedder& encoder, std::string_view question) {
  std::string_view head = question.substr(0, kQueryBytesMax);
  head = head.substr(0, complete_utf8_prefix(head));
  return encoder::prompt_for(encoder.facts(), encoder::Purpose::Query) + std::string(head);
}

}  // namespace tinyarms::service
