// tinyarms chat: a conversation. Every turn climbs the cascade anew, with the turns before it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cascade/session_latch.h"
#include "cli/answerer.h"
#include "cli/context.h"
#include "cli/explain.h"
#include "cli/live_answer.h"
#include "cli/question_options.h"
#include "cli/text_input.h"

namespace tinyarms::cli {
namespace {

constexpr std::string_view kHelp =
    "  /explain   the trace of the last answer\n"
    "  /tier l3   ask this tier from now on (/tier auto: the cascade again)\n"
    "  /reset     forget the conversation\n"
    "  /quit      leave (so does Ctrl-D)\n"
    "  Ctrl-C stops an answer; the text so far stays in the conversation\n";

class Chat {
 public:
  Chat(Context& context, const service::LoadedConfig& config, cascade::Request request, bool quiet)
      : context_(context),
        terminal_(context.terminal(config.settings)),
        request_(std::move(request)),
        streaming_(should_stream(config.settings, terminal_)),
        quiet_(quiet),
        answerer_(context, config, terminal_, quiet) {}

  void run() {
    if (!quiet_) terminal_.note(terminal_.paint(Style::Dim, "/help lists the commands"));
    std::string line;
    while (read_line(line)) {
      if (line.starts_with("/")) {
        if (!obey(line)) return;
      } else if (line.find_first_not_of(" \t\r") != std::string::npos) {
        answer(line);
      }
    }
  }

 private:
  bool read_line(std::string& line) {
    if (terminal_.messages_are_watched()) {
      std::fprintf(stderr, "%s", terminal_.paint(Style::Cyan, "› ").c_str());
      std::fflush(stderr);
    }
    return !context_.stop.raised() && std::getline(context_.input, line).good();
  }

  // False where the conversation is to end.
  bool obey(const std::string& line) {
    const size_t space = line.find(' ');
    const std::string command = line.substr(0, space);
    const std::string word = space == std::string::npos ? "" : line.substr(space + 1);
    if (command == "/quit" || command == "/exit") return false;
    if (command == "/reset") {
      request_.messages.clear();
      latch_.reset();
    } else if (command == "/explain") {
      terminal_.note(explain(last_.trace, terminal_));
    } else if (command == "/tier" && (word == "auto" || cascade::parse_level(word))) {
      request_.only_level = cascade::parse_level(word);
    } else {
      if (command != "/help") terminal_.error(fmt::format("no such command: {}", printable(line)));
      terminal_.note(kHelp);
    }
    return true;
  }

  void answer(std::string& line) {
    auto question = check_text(std::move(line), "the question", kQuestionBytesMax);
    if (!question) return terminal_.error(printable(question.error().message()));
    request_.messages.push_back({cascade::Role::User, std::move(*question)});

    LiveAnswer live(terminal_, {.streaming = streaming_, .announce = !quiet_});
    request_.level_min = latch_.floor();
    Answerer::Answered answered = answerer_.ask(request_, live);
    last_ = std::move(answered.reply);
    latch_.observe(last_);
    context_.stop.lower();  // Ctrl-C ended the answer, not the conversation
    context_.exit = exit_for(last_, false);
    if (last_.interrupted) context_.exit = Exit::Answered;

    const cascade::Step* step = last_.step();
    if (step == nullptr) {
      request_.messages.pop_back();  // a question nobody answered is no part of what was said
      terminal_.error("no tier could answer");
      terminal_.note(explain(last_.trace, terminal_));
      return;
    }
    if (!live.has_shown(step->attempt.answer)) terminal_.out(step->attempt.answer + "\n");
    if (!quiet_) terminal_.note(terminal_.paint(Style::Dim, footer(last_, answered.by_server)));
    request_.messages.push_back({cascade::Role::Assistant, step->attempt.answer});
  }

  Context& context_;
  Terminal terminal_;
  cascade::Request request_;
  bool streaming_;
  bool quiet_;
  Answerer answerer_;
  cascade::SessionLatch latch_;  // a conversation stays with the model that it needed
  cascade::Reply last_;
};

void run_chat(const QuestionOptions& options, Context& context) {
  auto loaded = context.load_settings(false);
  if (!loaded) return;
  auto request = request_from(options, loaded->settings, context.input);
  if (!request) return context.fail(request.error(), false);
  Chat(context, *loaded, std::move(*request), options.quiet).run();
}

}  // namespace

void add_chat(CLI::App& app, Context& context) {
  auto options = std::make_shared<QuestionOptions>();
  CLI::App* chat = app.add_subcommand("chat", "Talk in turns; each climbs the cascade");
  add_question_options(*chat, context, *options);
  chat->footer(
      "A server of yours that runs (tinyarms serve --detach) answers where it would do so as this\n"
      "process; the line under each answer says which of them did.\n"
      "Example:\n"
      "  tinyarms chat -f main.py");
  chat->callback([options, &context] { run_chat(*options, context); });
}

}  // namespace tinyarms::cli
