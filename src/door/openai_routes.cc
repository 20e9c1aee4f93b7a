#include "anthropic/messages.h"
#include "door/routes.h"
#include "openai/chat_parse.h"
#include "openai/responses.h"

namespace tinyarms::door {
namespace {

using openai::OrderedJson;

// With the fields of Anthropic's form beside OpenAI's.
OrderedJson model_json(const ModelEntry& entry) {
  return {{"id", entry.name},
          {"object", "model"},
          {"created", 0},
          {"owned_by", "tinyarms"},
          {"type", "model"},
          {"display_name", entry.name},
          {"created_at", "1970-01-01T00:00:00Z"},
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

void respond(const Kitchen& kitchen, const Call& call) {
  auto body = openai::parse_body(call.request().body);
  if (!body) return call.fail(openai::api_error(body.error()));
  auto request = openai::parse_responses(*body);
  if (!request) return call.fail(openai::api_error(request.error()));
  auto writer = openai::responses_writer(*request);
  answer(kitchen, call, std::move(request->chat), std::move(writer));
}

void list_models(const Kitchen& kitchen, const Call& call) {
  OrderedJson data = OrderedJson::array();
  for (const ModelEntry& entry : kitchen.models.list(*kitchen.settings.get())) {
    data.push_back(model_json(entry));
  }
  const OrderedJson first = data.front()["id"];
  const OrderedJson last = data.back()["id"];
  call.send(OrderedJson{{"object", "list"},
                        {"data", std::move(data)},
                        {"has_more", false},
                        {"first_id", first},
                        {"last_id", last}});
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
  door.add({"POST", "/v1/responses", Scope::Chat,
            [kitchen](const Call& call) { respond(kitchen, call); }});
  door.add({"POST", "/v1/completions", Scope::Chat, [kitchen](const Call& call) {
              answer_with(kitchen, call, openai::parse_completion, openai::completion_writer);
            }});
  door.add({"POST", "/v1/messages", Scope::Chat, [kitchen](const Call& call) {
              answer_with(kitchen, call, anthropic::parse_messages, anthropic::messages_writer);
            }});
}

}  // namespace tinyarms::door
