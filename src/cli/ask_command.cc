// tinyarms ask: one question, one answer, and why.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/answerer.h"
#include "cli/context.h"
#include "cli/explain.h"
#include "cli/live_answer.h"
#include "cli/question_options.h"
#include "cli/text_input.h"
#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

struct AskOptions {
  QuestionOptions question;
  std::vector<std::string> words;
  bool json = false;
  bool dry_run = false;
  bool strict = false;
};

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += text.empty() ? word : " " + word;
  return text;
}

Result<cascade::Request> read_request(const AskOptions& options, Context& context,
                                      const service::Settings& settings) {
  const bool from_input = options.words.empty() || options.words == std::vector<std::string>{"-"};
  auto question = from_input
                      ? read_stream(context.input, "the question on standard input",
                                    kQuestionBytesMax)
                      : check_text(join(options.words), "the question", kQuestionBytesMax);
  if (!question) return question.error();
  auto request = request_from(options.question, settings, context.input);
  if (request) request->messages.push_back({cascade::Role::User, std::move(*question)});
  return request;
}

void print_reply(const Answerer::Answered& answered, const LiveAnswer& live,
                 const AskOptions& options, const Terminal& terminal) {
  const cascade::Reply& reply = answered.reply;
  if (options.json) {
    nlohmann::ordered_json json = service::reply_json(reply);
    json["answered_by"] = answered.by_server ? "server" : "process";
    terminal.out(service::json_text(json));
    return;
  }
  const cascade::Step* step = reply.step();
  if (step != nullptr && !live.has_shown(step->attempt.answer)) {
    const std::string& answer = step->attempt.answer;
    terminal.out((terminal.answers_are_watched() ? printable(answer) : answer) + "\n");
  }
  if (options.question.explain) terminal.note(explain(reply.trace, terminal));
  if (step == nullptr) {
    terminal.error("no tier could answer; --explain shows what each one said");
    if (!options.question.explain) terminal.note(explain(reply.trace, terminal));
  } else if (!options.question.quiet) {
    terminal.note(terminal.paint(Style::Dim, footer(reply, answered.by_server)));
  }
}

void run_ask(const AskOptions& options, Context& context) {
  auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const service::Settings& settings = loaded->settings;
  auto request = read_request(options, context, settings);
  if (!request) return context.fail(request.error(), options.json);

  const Terminal terminal = context.terminal(settings);
  Answerer answerer(context, *loaded, terminal, options.question.quiet);
  if (options.dry_run) {
    const cascade::Trace plan = answerer.plan(*request);
    terminal.out(options.json ? service::json_text(service::plan_json(plan))
                              : explain_plan(plan, terminal));
    return;
  }
  const bool streaming = !options.json && should_stream(settings, terminal);
  LiveAnswer live(terminal,
                  {.streaming = streaming, .announce = !options.question.quiet && !options.json});
  const Answerer::Answered answered = answerer.ask(*request, live);
  print_reply(answered, live, options, terminal);
  context.exit = exit_for(answered.reply, options.strict);
}

}  // namespace

void add_ask(CLI::App& app, Context& context) {
  auto options = std::make_shared<AskOptions>();
  CLI::App* ask = app.add_subcommand("ask", "Answer one question and show which tier did");
  ask->add_option("question", options->words, "The question; without it, standard input")
      ->type_name("TEXT");
  add_question_options(*ask, context, options->question);
  ask->add_flag("--json", options->json, "Everything as one JSON object (docs/json.md)");
  ask->add_flag("--dry-run", options->dry_run, "Only show which tiers would be asked");
  ask->add_flag("--strict", options->strict, "Exit with 4 where no tier was sure enough");
  ask->footer(
      "A server of yours that runs (tinyarms serve --detach) answers where it would do so as this\n"
      "process; the last line, and answered_by of --json, say which of them did.\n"
      "Examples:\n"
      "  tinyarms ask \"What is 0xff in decimal?\"\n"
      "  tinyarms ask --explain \"Write a Python function that reverses a string\"\n"
      "  tinyarms ask -f main.py \"What does this do?\"\n"
      "  git diff | tinyarms ask -f - \"Summarise this change\"\n"
      "  tinyarms ask --tier l2 --json \"What is a mutex?\"");
  ask->callback([options, &context] { run_ask(*options, context); });
}

}  // namespace tinyarms::cli
