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

// `encoders`: null where words alone are looked for.
ToolResult found_by(Workshop& shop, const Search& search, door::Encoders* encoders) {
  const auto settings = shop.kitchen.settings.get();
  auto index = service::open_to_search(*settings, shop.paths, shop.kitchen.clock);
  if (!index) return ToolResult::failure(index.error().message());
  std::vector<float> vector;
  std::string made_by;
  if (encoders != nullptr && index->encoder) {
    const catalog::InstalledModel& model = *index->encoder;
    const bool stored = model.path.parent_path() == shop.paths.models_dir;
    auto embedder = encoders->embedder(stored ? model.name : model.path.string());
    if (!embedder) return ToolResult::failure(embedder.error().message());
    const std::string text = service::query_text(**embedder, search.query);
    auto embedded = (*embedder)->embed(std::span(&text, 1));
    if (!embedded) return ToolResult::failure(embedded.error().message());
    vector = std::move(embedded->front().values);
    made_by = service::identity_of(model);
  } else if (search.mode == "vectors") {
    return ToolResult::failure("there are no vectors to search by: " + index->notice);
  }
  const auto wanted = [&](std::string_view path) {
    if (!shop.roots.contains(path)) return false;
    if (!search.folder.empty()) return corpus::lies_in(path, search.folder);
    return search.piece.empty() || path.find(search.piece) != std::string_view::npos;
  };
  auto found = index->library->search({.text = search.mode == "vectors" ? "" : search.query,
                                       .vector = vector,
                                       .made_by = made_by,
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
  if (!index->notice.empty()) text = "note: " + index->notice + "\n\n" + text;
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
                   call->finish(found_by(shop_, held, &encoders));
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
