// tinyarms rerank: the passages on standard input in the order in which they answer a query.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/context.h"
#include "cli/text_input.h"
#include "engine/ranking.h"
#include "service/assistant.h"
#include "service/model_pool.h"
#include "service/reply_json.h"
#include "service/reranking.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kPassagesMax = 100'000;

struct RerankOptions {
  std::string query;
  size_t top = 10;
  std::string model;
  std::string method;
  std::optional<double> margin;
  bool json = false;
};

struct Passages {
  std::vector<std::string> texts;
  std::vector<Json> ids;  // a line's number, or what its object says
};

Error wrong(std::string what, size_t line) {
  return Error{ErrorCode::InvalidArgument, std::move(what), fmt::format("line {}", line),
               R"(give a passage a line, or {"id": …, "text": …} on every line)"};
}

// The object of a line such as {"id": 7, "text": "…"}, or nothing.
std::optional<Json> read_object(const std::string& line) {
  if (line.find_first_not_of(" \t") == std::string::npos ||
      line[line.find_first_not_of(" \t")] != '{') {
    return std::nullopt;
  }
  Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("text") || !object["text"].is_string()) {
    return std::nullopt;
  }
  return object;
}

Result<void> take_line(std::string text, size_t number, bool objects, Passages& passages) {
  const std::string place = fmt::format("line {}", number);
  Json id = number;
  if (objects) {
    auto object = read_object(text);
    if (!object) return wrong("is not an object with a text, as the first line is", number);
    if (object->contains("id")) id = (*object)["id"];
    if (!id.is_string() && !id.is_number()) return wrong("its id is no text or number", number);
    text = (*object)["text"].get<std::string>();
  }
  auto sound = check_text(std::move(text), place, kQuestionBytesMax);
  if (!sound) return sound.error();
  passages.texts.push_back(std::move(*sound));
  passages.ids.push_back(std::move(id));
  return {};
}

// The first line says what all are: objects, or texts as they are. Blank lines are passed over.
Result<Passages> read_passages(std::istream& input) {
  Passages passages;
  std::optional<bool> objects;
  std::string line;
  size_t bytes = 0;
  for (size_t number = 1; std::getline(input, line); ++number) {
    bytes += line.size();
    if (bytes > kFileBytesMax * 16 || passages.texts.size() >= kPassagesMax) {
      return Error{ErrorCode::InvalidArgument,
                   fmt::format("holds more than 64 MiB or {} passages", kPassagesMax),
                   "standard input", "rank what an earlier stage found, not everything"};
    }
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    if (!objects) objects = read_object(line).has_value();
    if (auto taken = take_line(line, number, *objects, passages); !taken) return taken.error();
  }
  if (passages.texts.empty()) {
    return Error{ErrorCode::InvalidArgument, "holds no passage", "standard input",
                 "give a passage a line, e.g. tinyarms rerank --query Q < passages.txt"};
  }
  return passages;
}

Json as_json(const RerankOptions& options, const service::LoadedReranker& loaded,
             const Passages& passages, const std::vector<engine::RankedPassage>& ranked) {
  Json results = Json::array();
  for (const engine::RankedPassage& each : ranked) {
    results.push_back({{"index", each.index},
                       {"id", passages.ids[each.index]},
                       {"score", each.score ? Json(*each.score) : Json()},
                       {"truncated", each.truncated},
                       {"text", passages.texts[each.index]}});
  }
  return {{"query", options.query},
          {"method", service::name_of(loaded.method)},
          {"model", loaded.model},
          {"passages", passages.texts.size()},
          {"results", results}};
}

std::string as_text(const Passages& passages, const std::vector<engine::RankedPassage>& ranked) {
  std::string text;
  for (const engine::RankedPassage& each : ranked) {
    const Json& id = passages.ids[each.index];
    text += fmt::format("{}\t{}\t{}\n", each.score ? fmt::format("{:.4f}", *each.score) : "-",
                        printable(id.is_string() ? id.get<std::string>() : id.dump()),
                        printable(passages.texts[each.index]));
  }
  return text;
}

void note_lengths(const std::vector<engine::RankedPassage>& ranked, const Terminal& terminal) {
  size_t cut = 0;
  for (const engine::RankedPassage& each : ranked) cut += each.truncated ? 1 : 0;
  if (cut == 0) return;
  terminal.note(fmt::format("note: {} of these {} passages {} longer than the model reads at once; "
                            "what came after was not looked at",
                            cut, ranked.size(), cut == 1 ? "is" : "are"));
}

void run_rerank(const RerankOptions& options, Context& context) {
  auto settings = context.load_settings(options.json);
  if (!settings) return;
  auto query = check_text(options.query, "the query", kQuestionBytesMax);
  if (!query) return context.fail(query.error(), options.json);
  auto passages = read_passages(context.input);
  if (!passages) return context.fail(passages.error(), options.json);
  const Terminal terminal = context.terminal(settings->settings);
  service::ModelPool models(settings->settings, context.paths, context.clock,
                            service::physical_memory());
  auto loaded = service::load_reranker(
      {.method = service::rerank_method(options.method), .model = options.model},
      settings->settings, context.paths, {.shelf = &models.shelf(), .use = "rerank"});
  if (!loaded) return context.fail(loaded.error(), options.json);
  if (passages->texts.size() > 100) {
    terminal.status(fmt::format("ranking {} passages", passages->texts.size()));
  }
  auto ranked = engine::rank_passages(*loaded->reranker, *query, passages->texts,
                                      {.top = options.top, .margin = options.margin},
                                      context.stop);
  terminal.status("");
  if (!ranked) return context.fail(ranked.error(), options.json);
  note_lengths(*ranked, terminal);
  terminal.out(options.json
                   ? service::json_text(as_json(options, *loaded, *passages, *ranked))
                   : as_text(*passages, *ranked));
}

}  // namespace

void add_rerank(CLI::App& app, Context& context) {
  auto options = std::make_shared<RerankOptions>();
  CLI::App* rerank = app.add_subcommand(
      "rerank", "The passages on standard input, best answer to a query first");
  rerank->add_option("--query", options->query, "What the passages are to answer")
      ->type_name("TEXT")
      ->required();
  rerank->add_option("--top", options->top, "How many to show (10)")
      ->type_name("N")
      ->check(CLI::Range(size_t{1}, kPassagesMax));
  rerank->add_option("--model", options->model,
                     "A cross-encoder, an encoder or a small language model (default: by method)")
      ->type_name("NAME");
  rerank->add_option("--method", options->method,
                     "cross-encoder: reads query and passage together; late-interaction: compares "
                     "their tokens; yes-no: asks a language model (default: what the model is for)")
      ->type_name("METHOD")
      ->check(CLI::IsMember({"cross-encoder", "late-interaction", "yes-no"}));
  rerank->add_option("--early-exit", options->margin,
                     "For passages that come best first: stop where those looked at last score "
                     "this much below the top N (default: look at all)")
      ->type_name("MARGIN")
      ->check(CLI::NonNegativeNumber);
  rerank->add_flag("--json", options->json,
                   "{query, method, model, passages, results: [{index, id, score, …}]}");
  add_setting(*rerank, context, "--threads", "threads", "Processor threads (0: all)");
  rerank->footer(
      "A line of standard input is a passage, or every line is {\"id\": …, \"text\": …}.\n\n"
      "Examples:\n  tinyarms rerank --query \"parse a date\" < passages.txt\n"
      "  tinyarms rerank --query \"parse a date\" --model ms-marco-minilm-l-6-v2 --top 3 --json "
      "< passages.jsonl");
  rerank->callback([options, &context] { run_rerank(*options, context); });
}

}  // namespace tinyarms::cli
