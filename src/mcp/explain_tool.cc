// explain_decision: why an answer came from where it came from.
#include <fmt/format.h>

#include "mcp/tools.h"
#include "openai/field_reader.h"

namespace tinyarms::mcp {
namespace {

constexpr size_t kWordMax = 64;

std::string explained(const OrderedJson& decision) {
  std::string text = fmt::format("decision {} of {}\n", decision["id"].get<std::string>(),
                                 decision["at"].get<std::string>());
  for (const OrderedJson& step : decision["steps"]) {
    text += fmt::format("{} {}: {}", step["tier"].get<std::string>(),
                        step["decision"].get<std::string>(), step["source"].get<std::string>());
    if (step["confidence"].is_number()) {
      text += fmt::format(", confidence {:.3f}{}", step["confidence"].get<double>(),
                          step["calibrated"].get<bool>() ? "" : " (not calibrated)");
    }
    if (step["threshold"].is_number()) {
      text += fmt::format(" against {:.3f}", step["threshold"].get<double>());
    }
    if (const auto& reason = step["reason"].get_ref<const std::string&>(); !reason.empty()) {
      text += "; " + reason;
    }
    text += fmt::format("; {:.3f} s\n", step["seconds"].get<double>());
  }
  return text;
}

OrderedJson decision_schema() {
  const OrderedJson step = object_of(
      {{"tier", schema_of("string", "l0 to l4")},
       {"decision", schema_of("string", "accept, escalate, abstain, fail, skip or interrupt")},
       {"reason", schema_of("string", "In a sentence; empty of what only the log knows")},
       {"source", schema_of("string", "The rule, cache or model")},
       {"confidence", or_null(schema_of("number", "Estimated chance that it is right"))},
       {"calibrated", schema_of("boolean", "Whether that was fitted to outcomes")},
       {"threshold", or_null(schema_of("number", "What it was held against"))},
       {"seconds", schema_of("number", "That it took")},
       {"evidence", schema_of("object", "What was observed about the answer, by name")},
       {"outcome", choice_of({"good", "bad"}, "As feedback told it")}},
      {"tier", "decision"});
  return object_of({{"id", schema_of("string", "Of the decision")},
                    {"at", schema_of("string", "UTC")},
                    {"tier", or_null(schema_of("string", "Who answered"))},
                    {"sure", schema_of("boolean", "Whether it reached the threshold")},
                    {"confidence", or_null(schema_of("number", "Of the answer"))},
                    {"logged", schema_of("boolean", "Whether the decision log has it")},
                    {"steps", list_of(step, "In the order in which the tiers were asked")}},
                   {"id", "sure", "steps"});
}

class ExplainTool final : public Tool {
 public:
  ExplainTool(Workshop& shop, Errands& errands) : shop_(shop), errands_(errands) {}

  ToolInfo info() const override {
    return {.name = "explain_decision",
            .title = "Explain a decision",
            .description =
                "Tells how an answer of `ask` came about: which tiers were asked, what evidence "
                "each gave, its confidence against the threshold, and the time. Knows the last 64 "
                "answers of this server and what the decision log holds (log.decisions). Read "
                "only. Nothing leaves this machine.",
            .input_schema = object_of(
                {{"id", schema_of("string", "Of the decision, its beginning, or `last` (the "
                                            "default)")}}, {}),
            .output_schema = decision_schema()};
  }

  void run(const std::shared_ptr<ToolCall>& call, const Json& arguments) override {
    openai::FieldReader fields(arguments, "");
    const std::string word = fields.text("id").value_or("last");
    if (fields.error()) return call->finish(ToolResult::failure(fields.error()->message()));
    if (word.size() > kWordMax) return call->finish(ToolResult::failure("id: is too long"));
    or_busy(errands_.submit(call->stop(), [this, call, word] {
      auto decision = find_decision(shop_, call->client(), word);
      if (!decision) return call->finish(ToolResult::failure(decision.error().message()));
      std::string text = explained(*decision);
      call->finish({std::move(*decision), std::move(text), false});
    }), call);
  }

 private:
  Workshop& shop_;
  Errands& errands_;
};

}  // namespace

std::unique_ptr<Tool> make_explain_tool(Workshop& shop, Errands& errands) {
  return std::make_unique<ExplainTool>(shop, errands);
}

}  // namespace tinyarms::mcp
