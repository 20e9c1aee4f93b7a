// feedback: how an answer turned out.
#include <fmt/format.h>

#include "mcp/tools.h"
#include "openai/field_reader.h"
#include "service/judgement.h"
#include "service/promise_watch.h"
#include "service/rejection.h"

namespace tinyarms::mcp {
namespace {

constexpr size_t kSourceMax = 64;

struct Feedback {
  std::string id;
  bool good = false;
  std::string source;
};

Result<Feedback> told_feedback(const Json& arguments) {
  openai::FieldReader fields(arguments, "");
  Feedback feedback;
  auto id = checked_text(fields.text("id").value_or(""), "id", kSourceMax);
  const std::string outcome = fields.text("outcome").value_or("");
  auto source = checked_text(fields.text("source").value_or("feedback"), "source", kSourceMax);
  if (fields.error()) return *fields.error();
  if (!id) return id.error();
  if (!source) return source.error();
  if (outcome != "good" && outcome != "bad") {
    return Error{ErrorCode::InvalidArgument, "must be good or bad", "outcome", ""};
  }
  feedback.id = std::move(*id);
  feedback.good = outcome == "good";
  feedback.source = std::move(*source);
  return feedback;
}

ToolResult stored_feedback(Workshop& shop, const Client& client, const Feedback& feedback) {
  std::string word = feedback.id;
  if (const auto entry = shop.ledger.find(word, client.owner)) {
    if (!entry->logged) {
      return ToolResult::failure("that answer was not logged: log.decisions = true keeps "
                                 "decisions, so that feedback can be kept with them");
    }
    word = entry->id;
  } else if (!client.files) {
    return ToolResult::failure(fmt::format("no decision \"{}\" of this key", word));
  }
  auto log = storage::DecisionLog::open_existing(service::decision_log_path(shop.paths),
                                                 shop.kitchen.clock);
  if (!log) return ToolResult::failure(log.error().message());
  auto id = (*log)->resolve(word);
  if (!id) return ToolResult::failure(id.error().message());
  const auto settings = shop.kitchen.settings.get();
  auto rejection = service::judge_decision(*id, feedback.good, feedback.source, **log, *settings,
                                           shop.paths, shop.kitchen.clock);
  if (!rejection) return ToolResult::failure(rejection.error().message());
  std::string text = fmt::format("{}: {}\n", *id, feedback.good ? "good" : "bad");
  if (!rejection->entry.empty()) text += "it will not be given from memory again\n";
  std::vector<std::string> ignored;
  auto estimator = service::CalibratedEstimator::load(settings->calibration.files, false, ignored);
  auto watched = service::watch_promises(estimator, **log);
  if (!watched) return ToolResult::failure(watched.error().message());
  OrderedJson certificates = OrderedJson::array();
  for (const service::Watched& one : *watched) {
    certificates.push_back({{"tier", one.tier}, {"alarm", one.guard.alarmed()}});
    text += one.text() + "\n";
  }
  return {{{"id", *id},
           {"outcome", feedback.good ? "good" : "bad"},
           {"forgotten", !rejection->entry.empty()},
           {"certificates", std::move(certificates)}},
          std::move(text), false};
}

class FeedbackTool final : public Tool {
 public:
  FeedbackTool(Workshop& shop, Errands& errands) : shop_(shop), errands_(errands) {}

  ToolInfo info() const override {
    const OrderedJson certificate =
        object_of({{"tier", schema_of("string", "Whose promise it is")},
                   {"alarm", schema_of("boolean", "Whether the outcomes broke it")}}, {});
    return {.name = "feedback",
            .title = "Tell how an answer turned out",
            .description =
                "Keeps with a logged decision whether its answer was right, which the guard over "
                "certificates and `tinyarms replay` learn from. Needs log.decisions = true when "
                "the question was asked. An answer called bad is not given from memory again. "
                "Writes to the decision log and the remembered answers on this machine only.",
            .input_schema = object_of(
                {{"id", schema_of("string", "Of the decision, its beginning, or `last`")},
                 {"outcome", choice_of({"good", "bad"}, "Whether the answer was right")},
                 {"source", schema_of("string", "Who says so: feedback (the default), tests, …")}},
                {"id", "outcome"}),
            .output_schema = object_of(
                {{"id", schema_of("string", "In full")},
                 {"outcome", choice_of({"good", "bad"}, "As told")},
                 {"forgotten", schema_of("boolean", "Whether memory held it: it never will again")},
                 {"certificates", list_of(certificate, "Promises that are watched")}},
                {"id", "outcome"}),
            .read_only = false};
  }

  void run(const std::shared_ptr<ToolCall>& call, const Json& arguments) override {
    auto feedback = told_feedback(arguments);
    if (!feedback) return call->finish(ToolResult::failure(feedback.error().message()));
    // What was told is kept, whether or not its teller waits for that.
    or_busy(errands_.submit(std::make_shared<StopFlag>(),
                            [this, call, held = std::move(*feedback)] {
                              call->finish(stored_feedback(shop_, call->client(), held));
                            }),
            call);
  }

 private:
  Workshop& shop_;
  Errands& errands_;
};

}  // namespace

std::unique_ptr<Tool> make_feedback_tool(Workshop& shop, Errands& errands) {
  return std::make_unique<FeedbackTool>(shop, errands);
}

}  // namespace tinyarms::mcp
