// tinyarms feedback: how an answer turned out, for the guard over certificates and for replay.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "service/judgement.h"
#include "service/promise_watch.h"
#include "service/rejection.h"

namespace tinyarms::cli {
namespace {

struct FeedbackOptions {
  std::string id;
  std::string outcome;
  std::string source = "feedback";
  bool json = false;
};

// Every certificate in use after this outcome: it may have been the one that broke a promise.
Result<std::vector<service::Watched>> watch(const service::Settings& settings,
                                            storage::DecisionLog& log) {
  std::vector<std::string> ignored;
  auto estimator = service::CalibratedEstimator::load(settings.calibration.files, false, ignored);
  return service::watch_promises(estimator, log);
}

nlohmann::ordered_json rejection_json(const service::Rejection& rejection) {
  if (rejection.entry.empty()) return nullptr;
  return {{"id", rejection.entry}, {"removed", rejection.removed}};
}

std::string rejection_text(const service::Rejection& rejection) {
  if (rejection.entry.empty()) return "";
  return fmt::format("remembered answer {}: {}\n", rejection.entry,
                     rejection.removed ? "forgotten for good" : "will not be remembered");
}

// A remembered answer can be named itself, whether or not decisions are logged.
bool reject_remembered(const FeedbackOptions& options, const service::Settings& settings,
                       Context& context) {
  auto rejected =
      service::reject_entry(options.id, settings, context.paths, context.clock);
  if (!rejected) return false;
  const nlohmann::ordered_json json = {{"id", nullptr},
                                       {"good", false},
                                       {"certificates", nlohmann::ordered_json::array()},
                                       {"cache", rejection_json(*rejected)}};
  context.terminal().out(options.json ? json.dump(2) + "\n"
                                      : printable(rejection_text(*rejected)));
  return true;
}

void run_feedback(const FeedbackOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  auto log = storage::DecisionLog::open_existing(service::decision_log_path(context.paths),
                                                 context.clock);
  const bool bad = options.outcome == "bad";
  auto id = log ? (*log)->resolve(options.id) : Result<std::string>(log.error());
  if (!id) {
    if (bad && id.error().code == ErrorCode::NotFound &&
        reject_remembered(options, loaded->settings, context)) {
      return;
    }
    return context.fail(id.error(), options.json);
  }
  auto rejected = service::judge_decision(*id, !bad, options.source, **log, loaded->settings,
                                          context.paths, context.clock);
  if (!rejected) return context.fail(rejected.error(), options.json);
  auto watched = watch(loaded->settings, **log);
  if (!watched) return context.fail(watched.error(), options.json);

  nlohmann::ordered_json json = {{"id", *id}, {"good", !bad}};
  json["certificates"] = nlohmann::ordered_json::array();
  std::string text = fmt::format("{}: {}\n", *id, options.outcome);
  if (bad) {
    json["cache"] = rejection_json(*rejected);
    text += rejection_text(*rejected);
  }
  for (const service::Watched& one : *watched) {
    json["certificates"].push_back({{"tier", one.tier},
                                    {"seen", one.guard.seen()},
                                    {"wrong", one.guard.wrong()},
                                    {"alpha", one.guard.target().alpha},
                                    {"e_value", one.guard.e_value()},
                                    {"alarm", one.guard.alarmed()}});
    text += one.text() + "\n";
    if (one.guard.alarmed()) {
      context.terminal().note("warning: the certificate is void from now on, and the safe setting "
                              "holds; calibrate and certify again");
    }
  }
  context.terminal().out(options.json ? json.dump(2) + "\n" : printable(text));
}

}  // namespace

void add_feedback(CLI::App& app, Context& context) {
  auto options = std::make_shared<FeedbackOptions>();
  CLI::App* feedback = app.add_subcommand("feedback", "Tell how a logged answer turned out");
  feedback->add_option("id", options->id,
                       "Of the decision or of a remembered answer, or its beginning; of the "
                       "request, as its reply had it; `last` is the newest decision")
      ->required()
      ->type_name("ID");
  feedback->add_option("outcome", options->outcome, "Whether the answer was right")
      ->required()
      ->check(CLI::IsMember({"good", "bad"}))
      ->type_name("good|bad");
  feedback->add_option("--source", options->source, "Who says so: feedback, tests, shadow, …")
      ->type_name("NAME");
  feedback->add_flag("--json", options->json, "As JSON");
  feedback->footer(
      "Needs log.decisions = true when the question was asked, or the name of a remembered\n"
      "answer (tinyarms cache list). An answer called bad is never given from memory again.\n"
      "Examples:\n"
      "  tinyarms feedback last good\n"
      "  tinyarms feedback 3fa9c2 bad --source tests");
  feedback->callback([options, &context] { run_feedback(*options, context); });
}

}  // namespace tinyarms::cli
