#include "service/library_access.h"

#include <fmt/format.h>
#include <sys/stat.h>

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

corpus::LibraryOptions library_options(const catalog::InstalledModel& model, const Paths& paths,
                                       size_t dimensions) {
  return {.folder = library_folder(paths),
          .model = model.name,
          .model_id = identity_of(model),
          .dimensions = dimensions};
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
