// tinyarms search: passages of the indexed files, by words and by meaning.
#include <fmt/format.h>
#include <fnmatch.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "cli/index_commands.h"
#include "cli/text_input.h"
#include "corpus/library.h"
#include "rules/language.h"
#include "service/library_access.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr size_t kShownLines = 6;

struct SearchOptions {
  std::vector<std::string> words;
  std::string language;
  std::string path;
  std::string mode = "hybrid";
  size_t limit = 10;
  bool json = false;
};

// `--path`: a folder or file that is there, a glob, or a piece of the path.
std::function<bool(std::string_view)> path_filter(const std::string& wanted) {
  if (wanted.empty()) return nullptr;
  std::error_code problem;
  const fs::path there = fs::canonical(wanted, problem);
  if (!problem) {
    return [folder = there.string()](std::string_view path) {
      return corpus::lies_in(path, folder);
    };
  }
  if (wanted.find_first_of("*?[") != std::string::npos) {
    const std::string below = wanted.front() == '/' ? wanted : "*/" + wanted;
    return [below](std::string_view path) {
      return ::fnmatch(below.c_str(), std::string(path).c_str(), 0) == 0;
    };
  }
  return [wanted](std::string_view path) { return path.find(wanted) != std::string_view::npos; };
}

// Relative to the working folder where the file lies in it.
std::string shown_path(const std::string& path) {
  std::error_code problem;
  const std::string here = fs::current_path(problem).string();
  if (problem || !corpus::lies_in(path, here) || path.size() <= here.size() + 1) return path;
  return path.substr(here == "/" ? 1 : here.size() + 1);
}

Json found_json(const corpus::Found& found, size_t rank) {
  const storage::PassageRow& row = found.passage;
  const auto number = [](double value, size_t at) { return at > 0 ? Json(value) : Json(nullptr); };
  return {{"rank", rank},
          {"path", row.path},
          {"line", row.first_line},
          {"end_line", row.last_line},
          {"symbol", row.symbol},
          {"kind", row.kind},
          {"language", row.language},
          {"score", found.score},
          {"similarity", number(found.cosine, found.vector_rank)},
          {"bm25", number(found.bm25, found.word_rank)},
          {"text", row.body}};
}

std::string found_text(const corpus::Found& found, const Terminal& terminal) {
  const storage::PassageRow& row = found.passage;
  std::string text = fmt::format("{}:{}-{}", shown_path(row.path), row.first_line, row.last_line);
  text = printable(text);
  if (!row.symbol.empty()) text += "  " + printable(row.symbol);
  text += terminal.paint(Style::Dim, fmt::format("  ({})", row.language)) + "\n";
  std::string_view rest = row.body;
  for (size_t line = 0; line < kShownLines && !rest.empty(); ++line) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    text += "    " + printable(rest.substr(0, std::min<size_t>(end, 160))) + "\n";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!rest.empty()) text += "    …\n";
  return text + "\n";
}

void run_search(const SearchOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const service::Settings& settings = loaded->settings;
  std::string text;
  for (const std::string& word : options.words) text += (text.empty() ? "" : " ") + word;
  auto question = check_text(std::move(text), "the question", kQuestionBytesMax);
  if (!question) return context.fail(question.error(), options.json);
  std::string language = options.language;
  if (const rules::Language* known = rules::find_language(language)) language = known->name;
  if (language == "md") language = "markdown";

  auto index = service::open_to_search(settings, context.paths, context.clock);
  if (!index) {
    context.fail(index.error(), options.json);
    if (index.error().code == ErrorCode::NotFound) context.exit = Exit::NoAnswer;
    return;
  }
  const Terminal terminal = context.terminal(settings);
  if (!index->notice.empty()) terminal.note(printable("note: " + index->notice));
  if (options.mode == "vectors" && !index->encoder) {
    return context.fail({ErrorCode::Unavailable, "there are no vectors to search by",
                         "--mode vectors", "tinyarms index update makes them"},
                        options.json);
  }

  std::vector<float> vector;
  std::string made_by;
  if (options.mode != "words" && index->encoder) {
    auto encoder = service::load_encoder(*index->encoder, settings);
    if (!encoder) return context.fail(encoder.error(), options.json);
    const std::string query = service::query_text(**encoder, *question);
    auto embedded = (*encoder)->embed(std::span(&query, 1));
    if (!embedded) return context.fail(embedded.error(), options.json);
    vector = std::move(embedded->front().values);
    made_by = service::identity_of(*index->encoder);
  }
  const double started = context.clock.monotonic_seconds();
  auto found = index->library->search({.text = options.mode == "vectors" ? "" : *question,
                                       .vector = vector,
                                       .made_by = made_by,
                                       .count = options.limit,
                                       .weights = service::fusion_weights(settings),
                                       .language = language,
                                       .wanted = path_filter(options.path)});
  if (!found) return context.fail(found.error(), options.json);
  const double seconds = context.clock.monotonic_seconds() - started;
  if (options.json) {
    Json results = Json::array();
    for (size_t i = 0; i < found->size(); ++i) results.push_back(found_json((*found)[i], i + 1));
    terminal.out(service::json_text(
        {{"query", *question},
         {"results", results},
         {"search_seconds", seconds},
         {"model", vector.empty() ? Json(nullptr) : Json(index->library->maker()->model)},
         {"notice", index->notice}}));
  } else {
    std::string all;
    for (const corpus::Found& each : *found) all += found_text(each, terminal);
    terminal.out(all);
  }
  if (!found->empty()) return;
  if (!options.json) terminal.note("nothing was found");
  context.exit = Exit::NoAnswer;
}

}  // namespace

void add_search(CLI::App& app, Context& context) {
  auto options = std::make_shared<SearchOptions>();
  CLI::App* search = app.add_subcommand("search", "Find passages in what was indexed");
  search->add_option("question", options->words, "What to look for, in words or identifiers")
      ->required();
  search->add_option("--lang", options->language, "Only files in this language")
      ->type_name("NAME");
  search->add_option("--path", options->path, "Only below a folder, or where a glob matches")
      ->type_name("PATH");
  search->add_option("--limit", options->limit, "How many passages (default: 10)")
      ->type_name("N")
      ->check(CLI::Range(size_t{1}, size_t{1000}));
  search->add_option("--mode", options->mode, "hybrid, words (BM25 alone) or vectors")
      ->type_name("MODE")
      ->check(CLI::IsMember({"hybrid", "words", "vectors"}));
  search->add_flag("--json", options->json,
                   "{query, results: [{rank, path, line, end_line, symbol, …}]}");
  add_setting(*search, context, "--threads", "threads", "Processor threads (0: all)");
  search->footer("Examples:\n  tinyarms search \"where is the config parsed\"\n"
                 "  tinyarms search --lang cpp --path src/service \"settings table\" --json\n\n"
                 "Exit status: 0 found, 3 nothing found or nothing indexed.");
  search->callback([options, &context] { run_search(*options, context); });
}

}  // namespace tinyarms::cli
