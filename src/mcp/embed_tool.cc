// embed: unit vectors of texts.
#include <fmt/format.h>

#include "encoder/model_manners.h"
#include "mcp/tools.h"
#include "openai/field_reader.h"

namespace tinyarms::mcp {
namespace {

constexpr size_t kTextsMax = 64;
constexpr size_t kTextMax = 256 << 10;

struct EmbedWish {
  std::vector<std::string> texts;
  std::string model;
  encoder::Purpose purpose = encoder::Purpose::Plain;
  size_t dimensions = 0;
};

Result<EmbedWish> wished_embedding(const Workshop& shop, const Json& arguments) {
  openai::FieldReader fields(arguments, "");
  EmbedWish wish;
  wish.texts = fields.texts("texts", kTextsMax);
  const std::string purpose = fields.text("purpose").value_or("plain");
  wish.dimensions = static_cast<size_t>(fields.integer("dimensions", 1, 65536).value_or(0));
  if (fields.error()) return *fields.error();
  if (wish.texts.empty()) return Error{ErrorCode::InvalidArgument, "is empty", "texts", ""};
  for (size_t i = 0; i < wish.texts.size(); ++i) {
    auto checked = checked_text(wish.texts[i], fmt::format("texts[{}]", i), kTextMax);
    if (!checked) return checked.error();
  }
  if (purpose == "query") {
    wish.purpose = encoder::Purpose::Query;
  } else if (purpose == "document") {
    wish.purpose = encoder::Purpose::Document;
  } else if (purpose != "plain") {
    return Error{ErrorCode::InvalidArgument, "must be plain, query or document", "purpose", ""};
  }
  wish.model = shop.kitchen.settings.get()->l1.model;
  return wish;
}

ToolResult embedded(const EmbedWish& wish, engine::Embedder& embedder, const StopFlag& stop) {
  const std::string prompt = encoder::prompt_for(embedder.facts(), wish.purpose);
  OrderedJson vectors = OrderedJson::array();
  size_t width = 0;
  for (const std::string& text : wish.texts) {
    if (stop.raised()) return ToolResult::failure("stopped");
    const std::string whole = prompt + text;
    auto one = embedder.embed(std::span(&whole, 1));
    if (!one) return ToolResult::failure(one.error().message());
    std::vector<float>& values = one->front().values;
    if (wish.dimensions != 0) {
      if (auto cut = encoder::shorten(values, wish.dimensions); !cut) {
        return ToolResult::failure(cut.error().message());
      }
    }
    width = values.size();
    vectors.push_back(values);
  }
  std::string text = jsonrpc::line_of(vectors);
  return {{{"model", embedder.facts().name}, {"dimensions", width},
           {"embeddings", std::move(vectors)}},
          std::move(text), false};
}

class EmbedTool final : public Tool {
 public:
  explicit EmbedTool(Workshop& shop) : shop_(shop) {}

  ToolInfo info() const override {
    const OrderedJson vector = {{"type", "array"}, {"items", {{"type", "number"}}}};
    return {.name = "embed",
            .title = "Embed texts",
            .description =
                "Unit vectors of texts by the local embedding model: their dot product says how "
                "alike two texts are. Nothing leaves this machine.",
            .input_schema = object_of(
                {{"texts", list_of(schema_of("string", "One text"), "At most 64")},
                 {"purpose", choice_of({"plain", "query", "document"},
                                       "What they are, for models that care")},
                 {"dimensions", number_of("integer", 1, 65536,
                                          "Only so many values, at length 1 again")}},
                {"texts"}),
            .output_schema = object_of({{"model", schema_of("string", "Its name")},
                                        {"dimensions", schema_of("integer", "Of each vector")},
                                        {"embeddings", list_of(vector, "In the texts' order")}},
                                       {"model", "dimensions", "embeddings"})};
  }

  void run(const std::shared_ptr<ToolCall>& call, const Json& arguments) override {
    if (!call->client().embed) {
      return call->finish(ToolResult::failure("this key lacks the scope \"embeddings\""));
    }
    auto wish = wished_embedding(shop_, arguments);
    if (!wish) return call->finish(ToolResult::failure(wish.error().message()));
    or_busy(shop_.kitchen.encoders.submit(
                {call->stop(), [call, held = std::move(*wish)](door::Encoders& encoders) {
                   auto embedder = encoders.embedder(held.model);
                   call->finish(embedder ? embedded(held, **embedder, *call->stop())
                                         : ToolResult::failure(embedder.error().message()));
                 }}),
            call);
  }

 private:
  Workshop& shop_;
};

}  // namespace

std::unique_ptr<Tool> make_embed_tool(Workshop& shop) { return std::make_unique<EmbedTool>(shop); }

}  // namespace tinyarms::mcp
