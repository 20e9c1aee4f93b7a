// /v1/embeddings, /v1/rerank and /v2/rerank, /v1/messages/count_tokens: one pass of a model each.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anthropic/messages.h"
#include "door/encoders.h"
#include "door/routes.h"
#include "encoder/model_manners.h"
#include "engine/ranking.h"
#include "openai/embeddings.h"
#include "openai/rerank.h"
#include "service/shown_request.h"

namespace tinyarms::door {
namespace {

using openai::ApiError;

constexpr size_t kBatchTexts = 64;  // between two looks at whether the client is still there
constexpr int kBusySeconds = 2;

// A model that the settings name and nobody installed is the server's lack, not a wrong address.
ApiError model_failure(const Error& error) {
  ApiError made = openai::api_error(error);
  if (made.status == 404) made.status = 503;
  return made;
}

// Who asked for what is not here gets told so by the server, never by the file system: a name of
// the catalogue is spelt in full, and is no path.
std::optional<ApiError> check_model(const Kitchen& kitchen, const std::string& name,
                                    bool encoder_only) {
  const auto entry = kitchen.models.find(name, *kitchen.settings.get());
  if (!entry || (entry->kind != "encoder" && entry->kind != "language")) {
    return openai::unknown_model(name);
  }
  if (encoder_only && entry->kind != "encoder") {
    return openai::bad_request(fmt::format("{} is no embedding model", name), "model");
  }
  return std::nullopt;
}

// The texts' own tokens, and those the model puts around them. A text longer than the window is
// counted in full windows.
Result<int64_t> count_tokens(const engine::Embedder& embedder, const std::string& text,
                             int parts) {
  auto tokens = embedder.tokenize(text);
  if (!tokens) return tokens.error();
  return static_cast<int64_t>(tokens->size()) * std::max(parts, 1);
}

struct Vectors {
  std::vector<std::vector<float>> each;
  int64_t tokens = 0;
};

Result<Vectors> embed_all(engine::Embedder& embedder, const openai::EmbeddingsRequest& request,
                          const StopFlag& stop) {
  const auto purpose = request.purpose == "query"      ? encoder::Purpose::Query
                       : request.purpose == "document" ? encoder::Purpose::Document
                                                       : encoder::Purpose::Plain;
  const std::string prompt = encoder::prompt_for(embedder.facts(), purpose);
  Vectors vectors;
  for (size_t begin = 0; begin < request.texts.size(); begin += kBatchTexts) {
    if (stop.raised()) return Error{ErrorCode::Interrupted, "the client has gone", "", ""};
    const size_t end = std::min(request.texts.size(), begin + kBatchTexts);
    std::vector<std::string> batch;
    for (size_t i = begin; i < end; ++i) batch.push_back(prompt + request.texts[i]);
    auto embedded = embedder.embed(batch);
    if (!embedded) return embedded.error();
    for (size_t i = 0; i < batch.size(); ++i) {
      engine::Embedding& one = (*embedded)[i];
      auto tokens = count_tokens(embedder, batch[i], one.parts);
      if (!tokens) return tokens.error();
      vectors.tokens += *tokens;
      if (request.dimensions != 0) {
        if (auto cut = encoder::shorten(one.values, request.dimensions); !cut) return cut.error();
      }
      vectors.each.push_back(std::move(one.values));
    }
  }
  return vectors;
}

void embed_for(Encoders& encoders, const Call& call, const openai::EmbeddingsRequest& request,
               const std::string& model) {
  auto embedder = encoders.embedder(model);
  if (!embedder) return call.fail(model_failure(embedder.error()));
  const auto width = static_cast<size_t>((*embedder)->dimensions());
  if (request.dimensions > width) {
    return call.fail(openai::bad_request(
        fmt::format("{} has {} dimensions", model, width), "dimensions"));
  }
  auto vectors = embed_all(**embedder, request, *call.gone());
  if (!vectors) return call.fail(openai::api_error(vectors.error()));
  call.send(openai::embeddings_json(request, vectors->each, vectors->tokens));
}

void queue(const Kitchen& kitchen, const Call& call, std::function<void(Encoders&)> run) {
  if (kitchen.encoders.submit({call.gone(), std::move(run)})) return;
  call.fail(openai::busy("this server is at its limit: try again later", kBusySeconds));
}

void embed(const Kitchen& kitchen, const Call& call) {
  auto body = openai::parse_body(call.request().body);
  if (!body) return call.fail(openai::api_error(body.error()));
  auto request = openai::parse_embeddings(*body);
  if (!request) return call.fail(openai::api_error(request.error()));
  std::string model = request->model;
  if (model == "auto" || model == "l1") {
    model = kitchen.settings.get()->l1.model;  // may be a path: the user's own word
  } else if (auto missing = check_model(kitchen, model, true)) {
    return call.fail(*missing);
  }
  queue(kitchen, call, [call, model, held = std::move(*request)](Encoders& encoders) {
    embed_for(encoders, call, held, model);
  });
}

// Between 0 and 1 where the score is a log-odds; late interaction's is a cosine already.
double relevance_of(double score, service::RerankMethod method) {
  if (method == service::RerankMethod::LateInteraction) return score;
  return 1 / (1 + std::exp(-score));
}

void rerank_for(Encoders& encoders, const Call& call, const openai::RerankRequest& request,
                const service::RerankChoice& choice) {
  auto loaded = encoders.reranker(choice);
  if (!loaded) return call.fail(model_failure(loaded.error()));
  const size_t top = request.top == 0 ? request.documents.size()
                                      : std::min(request.top, request.documents.size());
  auto ranked = engine::rank_passages(*(*loaded)->reranker, request.query, request.documents,
                                      {.top = top, .margin = {}}, *call.gone());
  if (!ranked) return call.fail(openai::api_error(ranked.error()));
  openai::RerankReply reply{.id = "rerank-" + call.id(),
                            .model = (*loaded)->model,
                            .method = std::string(service::name_of((*loaded)->method)),
                            .results = {}};
  for (const engine::RankedPassage& one : *ranked) {
    reply.results.push_back({one.index, relevance_of(one.score.value_or(0), (*loaded)->method),
                             one.truncated});
  }
  call.send(openai::rerank_json(request, reply));
}

void rerank(const Kitchen& kitchen, const Call& call) {
  auto body = openai::parse_body(call.request().body);
  if (!body) return call.fail(openai::api_error(body.error()));
  auto request = openai::parse_rerank(*body);
  if (!request) return call.fail(openai::api_error(request.error()));
  service::RerankChoice choice;
  choice.method = service::rerank_method(request->model);
  if (!choice.method && request->model != "auto") {
    if (auto missing = check_model(kitchen, request->model, false)) return call.fail(*missing);
    choice.model = request->model;
  }
  queue(kitchen, call, [call, choice, held = std::move(*request)](Encoders& encoders) {
    rerank_for(encoders, call, held, choice);
  });
}

// The model that would be shown the conversation: the first to be asked that reads it.
const service::LanguageSettings& reader_of(const cascade::Request& climb,
                                           const service::Settings& settings) {
  const bool large = climb.only_level == cascade::Level::L3 ||
                     (!climb.only_level && climb.level_min == cascade::Level::L3);
  return large && !settings.l3.model.empty() ? settings.l3 : settings.l2;
}

void count(const Kitchen& kitchen, const Call& call) {
  auto body = openai::parse_body(call.request().body);
  if (!body) return call.fail(openai::api_error(body.error()));
  auto request = anthropic::parse_count(*body);
  if (!request) return call.fail(openai::api_error(request.error()));
  cascade::Request climb;
  if (auto wrong = to_climb(kitchen, call.caller(), *request, climb)) return call.fail(*wrong);
  const auto settings = kitchen.settings.get();
  const service::LanguageSettings& reader = reader_of(climb, *settings);
  const std::string model = climb.model.empty() ? reader.model : climb.model;
  auto shown = service::shown_request(climb, reader);
  queue(kitchen, call, [call, model, held = std::move(shown)](Encoders& encoders) {
    auto counter = encoders.counter(model);
    if (!counter) return call.fail(model_failure(counter.error()));
    auto tokens = (*counter)->count(held.messages, held.options);
    if (!tokens) return call.fail(openai::api_error(tokens.error()));
    call.send(openai::OrderedJson{{"input_tokens", *tokens}});
  });
}

}  // namespace

void add_encoder_routes(Door& door, const Kitchen& kitchen) {
  door.add({"POST", "/v1/embeddings", Scope::Embeddings,
            [kitchen](const Call& call) { embed(kitchen, call); }});
  for (const char* path : {"/v1/rerank", "/v2/rerank"}) {
    door.add({"POST", path, Scope::Embeddings,
              [kitchen](const Call& call) { rerank(kitchen, call); }});
  }
  door.add({"POST", "/v1/messages/count_tokens", Scope::Chat,
            [kitchen](const Call& call) { count(kitchen, call); }});
}

}  // namespace tinyarms::door
