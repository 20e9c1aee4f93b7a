#include "eval/model_variants.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/ascii.h"
#include "base/sha256.h"
#include "engine/model_facts.h"
#include "engine/quantize.h"

namespace tinyarms::eval {
namespace {

// "Q4_K - Medium", as files call it, is "q4_k_m" on the command line.
std::string type_of(const std::string& quantization) {
  std::string type = lowered(quantization);
  for (const auto& [words, suffix] :
       {std::pair{" - small", "_s"}, std::pair{" - medium", "_m"}, std::pair{" - large", "_l"}}) {
    const size_t at = type.find(words);
    if (at != std::string::npos) return type.substr(0, at) + suffix;
  }
  return type;
}

// "model.q4_1" without its type; other names as they are.
std::string stem_of(const catalog::InstalledModel& model) {
  const std::string suffix = "." + type_of(model.quantization);
  const std::string name = lowered(model.name);
  const bool has = name.size() > suffix.size() &&
                   name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0;
  return has ? model.name.substr(0, name.size() - suffix.size()) : model.name;
}

Result<ModelVariant> as_it_is(const catalog::ModelStore& store,
                              const catalog::InstalledModel& model) {
  if (!model.problem.empty()) {
    return Error{ErrorCode::Corrupt, model.problem, model.path.string(), "import it again"};
  }
  auto hash = store.sha256_of(model);
  if (!hash) return hash.error();
  return ModelVariant{.name = model.name,
                      .path = model.path,
                      .sha256 = *hash,
                      .encoder = model.encoder,
                      .note = {}};
}

Result<ModelVariant> make_copy(const ModelVariant& source, const catalog::InstalledModel& model,
                               const std::string& type, const VariantRequest& request) {
  const std::filesystem::path path =
      request.cache / fmt::format("{}.{}.gguf", source.sha256.substr(0, 16), type);
  std::error_code problem;
  std::filesystem::create_directories(request.cache, problem);
  if (!std::filesystem::exists(path, problem)) {
    if (request.note) request.note(fmt::format("quantising {} to {} …", model.name, type));
    auto made = engine::quantize(source.path, path, {.type = type, .threads = request.threads});
    if (!made) return made.error();
  }
  auto hash = sha256_file(path);
  if (!hash) return hash.error();
  return ModelVariant{
      .name = fmt::format("{}.{}", stem_of(model), type),
      .path = path,
      .sha256 = *hash,
      .encoder = model.encoder,
      .note = fmt::format("made from {} ({}): it cannot hold more than that file does",
                          model.name, model.quantization)};
}

// The installed files of the model that `name` means, the named or else the largest first: that one
// holds most of what the model was. A prefix may begin several files of one model, where it is said
// which quantizations are wanted. Errors: those of ModelStore::find.
Result<std::vector<catalog::InstalledModel>> files_of(const catalog::ModelStore& store,
                                                      const std::string& name) {
  auto installed = store.list();
  if (!installed) return installed.error();
  auto named = store.find(name);
  if (!named && named.error().code != ErrorCode::InvalidArgument) return named.error();
  std::vector<catalog::InstalledModel> files;
  if (named) files.push_back(*named);
  for (const catalog::InstalledModel& other : *installed) {
    const bool meant = named ? stem_of(other) == stem_of(*named) && other.path != named->path
                             : other.name.compare(0, name.size(), name) == 0;
    if (meant) files.push_back(other);
  }
  const auto fixed = files.begin() + (named ? 1 : 0);
  std::stable_sort(fixed, files.end(),
                   [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  const bool one_model = std::all_of(files.begin(), files.end(), [&](const auto& file) {
    return stem_of(file) == stem_of(files.front());
  });
  if (!named && !one_model) return named.error();
  return files;
}

Result<ModelVariant> find_variant(const catalog::ModelStore& store,
                                  const std::vector<catalog::InstalledModel>& files,
                                  const std::string& alias, const VariantRequest& request) {
  const std::string type = quantization_type(alias);
  for (const catalog::InstalledModel& file : files) {
    if (type_of(file.quantization) == type) return as_it_is(store, file);
  }
  // "q4" is satisfied by any file of four bits that is there.
  for (const catalog::InstalledModel& file : files) {
    if (alias.size() == 2 && type_of(file.quantization).compare(0, 2, alias) == 0) {
      return as_it_is(store, file);
    }
  }
  auto source = as_it_is(store, files.front());
  if (!source) return source;
  return make_copy(*source, files.front(), type, request);
}

}  // namespace

std::string quantization_type(const std::string& alias) {
  static const std::map<std::string, std::string> kAliases = {
      {"q2", "q2_k"}, {"q3", "q3_k_m"}, {"q4", "q4_k_m"}, {"q5", "q5_k_m"}, {"q6", "q6_k"},
      {"q8", "q8_0"}, {"fp16", "f16"},  {"fp32", "f32"}};
  const std::string type = lowered(alias);
  const auto at = kAliases.find(type);
  return at == kAliases.end() ? type : at->second;
}

Result<std::vector<ModelVariant>> find_variants(const catalog::ModelStore& store,
                                                const VariantRequest& request) {
  std::vector<ModelVariant> variants;
  const auto add = [&](Result<ModelVariant> variant) -> Result<void> {
    if (!variant) return variant.error();
    for (const ModelVariant& other : variants) {
      if (other.name != variant->name) continue;
      return Error{ErrorCode::InvalidArgument, fmt::format("`{}` comes twice", variant->name), "",
                   "name each model and quantization once"};
    }
    variants.push_back(std::move(*variant));
    return {};
  };
  for (const std::string& name : request.models) {
    if (request.quantizations.empty()) {
      auto model = store.find(name);
      if (!model) return model.error();
      if (auto added = add(as_it_is(store, *model)); !added) return added.error();
      continue;
    }
    auto files = files_of(store, name);
    if (!files) return files.error();
    for (const std::string& alias : request.quantizations) {
      if (auto added = add(find_variant(store, *files, alias, request)); !added) {
        return added.error();
      }
    }
  }
  return variants;
}

}  // namespace tinyarms::eval
