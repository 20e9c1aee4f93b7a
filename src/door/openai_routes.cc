#include "anthropic/messages.h"
#include "door/routes.h"
#include "openai/chat_parse.h"

namespace tinyarms::door {
namespace {

using openai::OrderedJson;

OrderedJson model_json(const ModelEntry& entry) {
  return {{"id", entry.name},
          {"object", "model"},
          {"created", 0},
          {"owned_by", "tinyarms"},
          {"tinyarms", {{"kind", entry.kind}, {"description", entry.description}}}};
}

template <typename Parse, typename Write>
void answer_with(const Kitchen& kitchen, const Call& call, Parse parse, Write write) {
  auto body = openai::parse_body(call.request().body);
  if (!body) return call.fail(openai::api_error(body.error()));
  auto request = parse(*body);
  if (!request) return call.fail(openai::api_error(request.error()));
  auto writer = write(*request);
  answer(kitchen, call, std::move(*request), std::move(writer));
}

void list_models(const Kitchen& kitchen, const Call& call) {
  OrderedJson data = OrderedJson::array();
  for (const ModelEntry& entry : kitchen.models.list(*kitchen.settings.get())) {
    data.push_back(model_json(entry));
  }
  call.send(OrderedJson{{"object", "list"}, {"data", std::move(data)}});
}

void show_model(const Kitchen& kitchen, const Call& call) {
  constexpr std::string_view kStem = "/v1/models/";
  std::string name = call.request().path.substr(kStem.size());
  for (size_t at; (at = name.find("%3A")) != std::string::npos;) name.replace(at, 3, ":");
  const auto entry = kitchen.models.find(name, *kitchen.settings.get());
  if (!entry) return call.fail(openai::unknown_model(name));
  call.send(model_json(*entry));
}

}  // namespace

void add_openai_routes(Door& door, const Kitchen& kitchen) {
  door.add({"GET", "/v1/models", Scope::Models,
            [kitchen](const Call& call) { list_models(kitchen, call); }});
  door.add({"GET", "/v1/models/*", Scope::Models,
            [kitchen](const Call& call) { show_model(kitchen, call); }});
  door.add({"POST", "/v1/chat/completions", Scope::Chat, [kitchen](const Call& call) {
              answer_with(kitchen, call, openai::parse_chat, openai::chat_writer);
            }});
  door.add({"POST", "/v1/messages", Scope::Chat, [kitchen](const Call& call) {
              answer_with(kitchen, call, anthropic::parse_messages, anthropic::messages_writer);
            }});
}

}  // namespace tinyarms::door
