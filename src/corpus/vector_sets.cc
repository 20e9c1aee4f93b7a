#include "corpus/vector_sets.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/sha256.h"

namespace tinyarms::corpus {
namespace {

using SetsJson = nlohmann::ordered_json;

constexpr const char* kSetsFact = "vector_sets";
constexpr const char* kOnlyFile = "vectors";  // before there could be several
constexpr std::string_view kFilePrefix = "vectors-";
constexpr size_t kFileDigits = 16;

// An index made before there could be several sets: one, whose facts stand by themselves.
Result<VectorSets> only_set(storage::PassageStore& store) {
  VectorSets sets;
  auto id = store.fact("model_id");
  if (!id) return id.error();
  if (id->empty()) return sets;
  auto model = store.fact("model");
  if (!model) return model.error();
  auto dimensions = store.fact("dimensions");
  if (!dimensions) return dimensions.error();
  sets.serving = *id;
  sets.sets.push_back(
      {.maker = {.model = std::move(*model),
                 .model_id = std::move(*id),
                 .dimensions = static_cast<size_t>(
                     std::strtoull(dimensions->c_str(), nullptr, 10))},
       .file = kOnlyFile,
       .complete = true});
  return sets;
}

// A name, never a path.
bool is_own_file(const std::string& file) { return file == kOnlyFile || is_vector_file_name(file); }

}  // namespace

const VectorSet* VectorSets::find(std::string_view model_id) const {
  const auto found = std::find_if(sets.begin(), sets.end(), [&](const VectorSet& set) {
    return set.maker.model_id == model_id;
  });
  return found == sets.end() ? nullptr : &*found;
}

VectorSet* VectorSets::find(std::string_view model_id) {
  return const_cast<VectorSet*>(std::as_const(*this).find(model_id));
}

const VectorSet* VectorSets::to_search(std::string_view model_id) const {
  const VectorSet* own = model_id.empty() ? nullptr : find(model_id);
  if (own != nullptr && own->complete) return own;
  const VectorSet* other = find(serving);
  return other != nullptr && other->complete ? other : nullptr;
}

std::string vector_file_name(std::string_view model_id) {
  return std::string(kFilePrefix) + sha256_hex(model_id).substr(0, kFileDigits);
}

bool is_vector_file_name(std::string_view name) {
  return name.size() == kFilePrefix.size() + kFileDigits && name.starts_with(kFilePrefix) &&
         name.find_first_not_of("0123456789abcdef", kFilePrefix.size()) == name.npos;
}

Result<std::string> vector_sets_text(storage::PassageStore& store) {
  auto text = store.fact(kSetsFact);
  if (!text || !text->empty()) return text;
  return store.fact("model_id");
}

Result<VectorSets> read_vector_sets(storage::PassageStore& store) {
  auto text = store.fact(kSetsFact);
  if (!text) return text.error();
  if (text->empty()) return only_set(store);
  VectorSets sets;
  try {
    const SetsJson json = SetsJson::parse(*text);
    sets.serving = json.at("serving");
    for (const SetsJson& set : json.at("sets")) {
      sets.sets.push_back({.maker = {.model = set.at("model"),
                                     .model_id = set.at("model_id"),
                                     .dimensions = set.at("dimensions")},
                           .file = set.at("file"),
                           .complete = set.at("complete")});
      if (!is_own_file(sets.sets.back().file)) throw std::runtime_error("a file outside of it");
    }
  } catch (const std::exception& problem) {
    return Error{ErrorCode::Corrupt, std::string("does not say whose vectors it has: ") +
                                         problem.what(),
                 kSetsFact, "make the index anew: tinyarms index update --rebuild"};
  }
  return sets;
}

Result<void> write_vector_sets(storage::PassageStore& store, const VectorSets& sets) {
  SetsJson list = SetsJson::array();
  for (const VectorSet& set : sets.sets) {
    list.push_back({{"model", set.maker.model},
                    {"model_id", set.maker.model_id},
                    {"dimensions", set.maker.dimensions},
                    {"file", set.file},
                    {"complete", set.complete}});
  }
  const SetsJson json = {{"serving", sets.serving}, {"sets", std::move(list)}};
  return store.set_fact(kSetsFact, json.dump(-1, ' ', false, SetsJson::error_handler_t::replace));
}

}  // namespace tinyarms::corpus
