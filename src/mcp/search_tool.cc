// search_code: passages of what the user indexed, by words and by meaning.
#include <fmt/format.h>

#include "corpus/library.h"
#include "mcp/tools.h"
#include "openai/field_reader.h"
#include "rules/language.h"
#include "service/library_access.h"

namespace tinyarms::mcp {
namespace {

constexpr size_t kQueryMax = 64 << 10;
constexpr int64_t kFoundMax = 50;
constexpr int64_t kFoundUsual = 8;

struct Search {
  std::string query;
  std::string language;
  std::string mode;
  std::string folder;  // absolute; empty: all
  std::string piece;   // of the path
  size_t limit = kFoundUsual;
};

Result<Search> wished_search(const Workshop& shop, const Json& arguments) {
  openai::FieldReader fields(arguments, "");
  Search search;
  auto query = checked_text(fields.text("query").value_or(""), "query", kQueryMax);
  search.language = fields.text("language").value_or("");
  search.mode = fields.text("mode").value_or("hybrid");
  const std::string path = fields.text("path").value_or("");
  search.limit = static_cast<size_t>(fields.integer("limit", 1, kFoundMax).value_or(kFoundUsual));
  if (fields.error()) return *fields.error();
  if (!query) return query.error();
  search.query = std::move(*query);
  if (search.mode != "hybrid" && search.mode != "words" && search.mode != "vectors") {
    return Error{ErrorCode::InvalidArgument, "must be hybrid, words or vectors", "mode", ""};
  }
  if (const rules::Language* known = rules::find_language(search.language)) {
    search.language = known->name;
  }
  if (search.language == "md") search.language = "markdown";
  if (path.empty()) return search;
  if (auto there = shop.roots.resolve(path)) {
    search.folder = std::move(*there);
  } else if (there.error().code == ErrorCode::NotFound) {
    search.piece = path;
  } else {
    return there.error();
  }
  return search;
}

OrderedJson found_json(const Workshop& shop, const corpus::Found& found, size_t rank) {
  const storage::PassageRow& row = found.passage;
  return {{"rank", rank},
          {"path", shop.roots.shown(row.path)},
          {"line", row.first_line},
          {"end_line", row.last_line},
          {"symbol", row.symbol},
          {"kind", row.kind},
          {"language", row.language},
          {"score", found.score},
          {"text", row.body}};
}

std::string found_text(const OrderedJson& results) {
  if (results.empty()) return "nothing was found in what is indexed below this server's folder";
  std::string text;
  for (const OrderedJson& one : results) {
    text += fmt::format("{}:{}-{} {}\n```{}\n{}\n```\n\n", one["path"].get<std::string>(),
                        one["line"].get<uint32_t>(), one["end_line"].get<uint32_t>(),
                        one["symbol"].get<std::string>(), one["language"].get<std::string>(),
                        one["text"].get<std::string>());
  }
  return text;
}

// `embedder`: null where words alone are looked for.
ToolResult found_by(Workshop& shop, const Search& search, engine::Embedder* embedder) {
  const auto settings = shop.kitchen.settings.get();
  auto model = service::encoder_model(*settings, shop.paths);
  corpus::LibraryOptions options;
  if (model) {
    options = service::library_options(*model, shop.paths, 0);
  } else if (embedder == nullptr) {
    options.folder = service::library_folder(shop.paths);
  } else {
    return ToolResult::failure(model.error().message());
  }
  auto library = corpus::Library::open(options, shop.kitchen.clock);
  if (!library) return ToolResult::failure(library.error().message());
  std::vector<float> vector;
  if (embedder != nullptr) {
    const std::string text = service::query_text(*embedder, search.query);
    auto embedded = embedder->embed(std::span(&text, 1));
    if (!embedded) return ToolResult::failure(embedded.error().message());
    vector = std::move(embedded->front().values);
  }
  const auto wanted = [&](std::string_view path) {
    if (!shop.roots.contains(path)) return false;
    if (!search.folder.empty()) return corpus::lies_in(path, search.folder);
    return search.piece.empty() || path.find(search.piece) != std::string_view::npos;
  };
  auto found = (*library)->search({.text = search.mode == "vectors" ? "" : search.query,
                                   .vector = vector,
                                   .count = search.limit,
                                   .weights = service::fusion_weights(*settings),
                                   .language = search.language,
                                   .wanted = wanted});
  if (!found) return ToolResult::failure(found.error().message());
  OrderedJson results = OrderedJson::array();
  for (size_t i = 0; i < found->size(); ++i) {
    results.push_back(found_json(shop, (*found)[i], i + 1));
  }
  std::string text = found_text(results);
  return {{{"query", search.query}, {"results", std::move(results)}}, std::move(text), false};
}

class SearchTool final : public Tool {
 public:
  SearchTool(Workshop& shop, Errands& errands) : shop_(shop), errands_(errands) {}

  ToolInfo info() const override {
    const OrderedJson passage = object_of(
        {{"rank", schema_of("integer", "From 1")},
         {"path", schema_of("string", "Of the file")},
         {"line", schema_of("integer", "Its first line, from 1")},
         {"end_line", schema_of("integer", "Its last line")},
         {"symbol", schema_of("string", "What is defined there; may be empty")},
         {"kind", schema_of("string", "Of the definition")},
         {"language", schema_of("string", "Of the file")},
         {"score", schema_of("number", "Comparable within one search only")},
         {"text", schema_of("string", "The passage")}},
        {"rank", "path", "line", "end_line", "text"});
    return {.name = "search_code",
            .title = "Search the indexed files",
            .description =
                "Finds passages of the user's own code and documents, by words and by meaning, in "
                "what `tinyarms index add` has indexed below the folders of this server. Read "
                "only. Nothing leaves this machine.",
            .input_schema = object_of(
                {{"query", schema_of("string", "A question, words or identifiers")},
                 {"path", schema_of("string", "Only below this folder, or in paths with this "
                                              "piece")},
                 {"language", schema_of("string", "Only files in this language")},
                 {"mode", choice_of({"hybrid", "words", "vectors"}, "How (default: hybrid)")},
                 {"limit", number_of("integer", 1, kFoundMax, "How many (default: 8)")}},
                {"query"}),
            .output_schema = object_of({{"query", schema_of("string", "As it was asked")},
                                        {"results", list_of(passage, "Best first")}},
                                       {"query", "results"})};
  }

  void run(const std::shared_ptr<ToolCall>& call, const Json& arguments) override {
    if (!call->client().files) {
      return call->finish(ToolResult::failure(std::string(kNotForKeys)));
    }
    auto search = wished_search(shop_, arguments);
    if (!search) return call->finish(ToolResult::failure(search.error().message()));
    if (search->mode == "words") {
      return or_busy(errands_.submit(call->stop(), [this, call, held = std::move(*search)] {
        call->finish(found_by(shop_, held, nullptr));
      }), call);
    }
    or_busy(shop_.kitchen.encoders.submit(
                {call->stop(), [this, call, held = std::move(*search)](door::Encoders& encoders) {
                   auto embedder = encoders.embedder(shop_.kitchen.settings.get()->l1.model);
                   call->finish(embedder ? found_by(shop_, held, *embedder)
                                         : ToolResult::failure(embedder.error().message()));
                 }}),
            call);
  }

 private:
  Workshop& shop_;
  Errands& errands_;
};

}  // namespace

std::unique_ptr<Tool> make_search_tool(Workshop& shop, Errands& errands) {
  return std::make_unique<SearchTool>(shop, errands);
}

}  // namespace tinyarms::mcp
