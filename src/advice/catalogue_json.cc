#include "advice/catalogue_json.h"

namespace tinyarms::advice {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(uint64_t value) { return value == 0 ? Json(nullptr) : Json(value); }
Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json sourced(Json json, const Source& source) {
  json["source"] = or_null(source.text);
  json["date"] = or_null(source.date);
  return json;
}

Json licence_json(const ModelLicence& licence) {
  Json json = {{"name", or_null(licence.name)}, {"commercial", nullptr}};
  if (licence.commercial != Commercial::Unknown) {
    json["commercial"] = licence.commercial == Commercial::Yes;
  }
  return sourced(std::move(json), licence.source);
}

Json shape_json(const ModelShape& shape) {
  return sourced({{"architecture", shape.architecture},
                  {"layers", shape.layers},
                  {"width", shape.width},
                  {"feed_forward", shape.feed_forward},
                  {"heads", shape.heads},
                  {"kv_heads", shape.kv_heads},
                  {"head_width", shape.head_width},
                  {"vocabulary", shape.vocabulary}},
                 shape.source);
}

Json files_json(const std::vector<ModelFile>& files) {
  Json list = Json::array();
  for (const ModelFile& file : files) {
    list.push_back(sourced({{"quantisation", file.quantisation},
                            {"repository", or_null(file.repository)},
                            {"name", or_null(file.name)},
                            {"bytes", file.bytes},
                            {"estimated", file.estimated},
                            {"sha256", or_null(file.sha256)}},
                           file.source));
  }
  return list;
}

Json scores_json(const std::vector<Score>& scores) {
  Json list = Json::array();
  for (const Score& score : scores) {
    list.push_back(sourced({{"benchmark", score.benchmark},
                            {"value", score.value},
                            {"approximate", score.approximate}},
                           score.source));
  }
  return list;
}

}  // namespace

Json catalogue_model_json(const CatalogueModel& model) {
  Json roles = Json::array();
  for (const Role role : model.roles) roles.push_back(role_name(role));
  Json json = {{"name", model.name},
               {"title", model.title},
               {"family", model.family},
               {"role", model.roles.empty() ? Json(nullptr) : roles.front()},
               {"roles", roles},
               {"remote", model.remote},
               {"parameters", or_null(model.parameters)},
               {"active_parameters", or_null(model.active_parameters)},
               {"context", or_null(model.context_tokens)},
               {"dimensions", or_null(model.dimensions)},
               {"matryoshka", model.matryoshka},
               {"languages", model.languages},
               {"vocabulary_family", or_null(model.vocabulary_family)},
               {"chat_template", or_null(model.chat_template)},
               {"tool_format", or_null(model.tool_format)},
               {"licence", licence_json(model.licence)},
               {"shape", model.shape ? shape_json(*model.shape) : Json(nullptr)},
               {"files", files_json(model.files)},
               {"scores", scores_json(model.scores)},
               {"price", nullptr},
               {"bundled", model.bundled},
               {"where", model.where}};
  if (model.price) {
    json["price"] = sourced({{"currency", "USD"},
                             {"per_tokens", 1'000'000},
                             {"input", model.price->input},
                             {"output", model.price->output}},
                            model.price->source);
  }
  return sourced(std::move(json), model.source);
}

}  // namespace tinyarms::advice
