// tinyarms shadow: kept answers that wait for a second look, looked at by the next tier.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "cli/cost_terms.h"
#include "service/shadow_check.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ShadowOptions {
  size_t limit = 0;
  bool json = false;
};

std::string verdict_text(const service::ShadowVerdict& verdict) {
  return fmt::format("{} of {}: {} ({} {})\n", verdict.id, cascade::level_name(verdict.level),
                     !verdict.good ? "undecided" : *verdict.good ? "good" : "bad",
                     cascade::level_name(verdict.by), verdict.how);
}

Json verdict_json(const service::ShadowVerdict& verdict) {
  return {{"id", verdict.id},
          {"tier", cascade::level_name(verdict.level)},
          {"by", cascade::level_name(verdict.by)},
          {"good", verdict.good ? Json(*verdict.good) : Json(nullptr)},
          {"how", verdict.how}};
}

// What the outcomes so far mean for the promises made.
void tell_watched(const std::vector<service::Watched>& watched, const Terminal& terminal,
                  Json& json, std::string& text) {
  json["certificates"] = Json::array();
  for (const service::Watched& one : watched) {
    json["certificates"].push_back({{"tier", one.tier},
                                    {"seen", one.guard.seen()},
                                    {"wrong", one.guard.wrong()},
                                    {"alpha", one.guard.target().alpha},
                                    {"e_value", one.guard.e_value()},
                                    {"alarm", one.guard.alarmed()}});
    text += one.text() + "\n";
    if (one.guard.alarmed()) {
      terminal.note("warning: the certificate is void from now on, and the safe setting holds; "
                    "calibrate and certify again");
    }
  }
}

void run_shadow(const ShadowOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const Terminal terminal = context.terminal(loaded->settings);
  auto checker = service::ShadowChecker::open(
      loaded->settings, {.paths = context.paths,
                         .clock = context.clock,
                         .physical_bytes = service::physical_memory(),
                         .prices = price_list(context)});
  if (!checker) return context.fail(checker.error(), options.json);
  Json json = {{"checked", Json::array()}};
  std::string text;
  size_t checked = 0;
  while (!context.stop.raised() && (options.limit == 0 || checked < options.limit)) {
    auto verdict = (*checker)->check_next(context.stop);
    if (!verdict) {
      if (verdict.error().code == ErrorCode::Interrupted) break;
      return context.fail(verdict.error(), options.json);
    }
    if (!*verdict) break;
    ++checked;
    json["checked"].push_back(verdict_json(**verdict));
    if (!options.json) terminal.out(printable(verdict_text(**verdict)));
  }
  auto waiting = (*checker)->waiting();
  if (!waiting) return context.fail(waiting.error(), options.json);
  auto watched = (*checker)->watch();
  if (!watched) return context.fail(watched.error(), options.json);
  json["waiting"] = *waiting;
  text += fmt::format("{} checked, {} wait\n", checked, *waiting);
  tell_watched(*watched, terminal, json, text);
  terminal.out(options.json ? json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                            : printable(text));
  if (context.stop.raised()) context.exit = Exit::Interrupted;
}

}  // namespace

void add_shadow(CLI::App& app, Context& context) {
  auto options = std::make_shared<ShadowOptions>();
  CLI::App* shadow = app.add_subcommand(
      "shadow", "Have the next tier look at a sample of the answers that were kept");
  shadow->add_option("--limit", options->limit, "At most so many (0: all that wait)")
      ->type_name("N");
  shadow->add_flag("--json", options->json, "As JSON");
  shadow->footer(
      "Answers wait where shadow.share > 0 and log.decisions = true when they were given; until\n"
      "they are checked their texts are kept in the decision log.\n"
      "Example:\n"
      "  tinyarms shadow --limit 10");
  shadow->callback([options, &context] { run_shadow(*options, context); });
}

}  // namespace tinyarms::cli
