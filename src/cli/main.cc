#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "base/patient_threads.h"
#include "cli/context.h"
#include "cli/index_commands.h"
#include "cli/mcp_command.h"

#ifdef __SANITIZE_ADDRESS__
// cmake/Rooms.cmake tells why; here too, for programs that are started with another environment.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "intercept_tls_get_addr=0"; }
#endif

namespace {

using tinyarms::StopFlag;

StopFlag g_stop;  // the one thing a signal handler may touch

// The first Ctrl-C stops within a token and prints what there is, the second leaves at once.
void on_interrupt(int) {
  if (g_stop.raised()) ::_exit(static_cast<int>(tinyarms::cli::Exit::Interrupted));
  g_stop.raise();
}

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0;  // no restart: a read from the terminal ends too
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);  // `tinyarms ask … | head` ends by a failed write, not by a signal
}

constexpr const char* kExamples =
    "Examples:\n"
    "  tinyarms ask \"Write a Python function that reverses a string\"\n"
    "  tinyarms ask --explain \"What is 15% of 240?\"\n"
    "  tinyarms chat\n"
    "  tinyarms models list\n"
    "  tinyarms doctor\n"
    "\n"
    "Exit status: 0 answered · 1 failed · 2 wrong usage · 3 no tier could answer ·\n"
    "4 not sure enough (--strict), or out of reach (calibrate, certify, models migrate) ·\n"
    "5 a model problem · 6 a configuration problem · 7 disk or permission ·\n"
    "130 interrupted";

}  // namespace

int main(int argc, char** argv) {
  using namespace tinyarms;
  using namespace tinyarms::cli;
  wait_patiently(argv);
  catch_interrupts();
  std::ios::sync_with_stdio(false);

  const SystemClock clock;
  Context context{.clock = clock,
                  .stop = g_stop,
                  .input = std::cin,
                  .paths = find_paths(process_environment()),
                  .sources = service::process_config_sources()};

  CLI::App app("answers from rules, memory and local models, the cheapest that is sure enough",
               "tinyarms");
  app.require_subcommand(1);
  app.footer(kExamples);
  app.set_help_all_flag("--help-all", "Help for every command");
  add_switch(app, context, "--no-color", "color", "never", "No colours, even on a terminal");
  add_ask(app, context);
  add_chat(app, context);
  add_models(app, context);
  add_init(app, context);
  add_pull(app, context);
  add_quantize(app, context);
  add_validate(app, context);
  add_embed(app, context);
  add_intent(app, context);
  add_index(app, context);
  add_search(app, context);
  add_rerank(app, context);
  add_cache(app, context);
  add_config(app, context);
  add_doctor(app, context);
  add_version(app, context);
  add_records(app, context);
  add_metrics(app, context);
  add_calibrate(app, context);
  add_certify(app, context);
  add_stats(app, context);
  add_replay(app, context);
  add_feedback(app, context);
  add_signals(app, context);
  add_shadow(app, context);
  add_rules(app, context);
  add_serve(app, context);
  add_mcp(app, context);
  add_lsp(app, context);
  add_ps(app, context);
  add_keys(app, context);
  add_bench(app, context);
  add_report(app, context);
  add_data(app, context);
  add_shell(app, context);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    const int status = app.exit(problem, std::cout, std::cerr);
    return status == 0 ? 0 : static_cast<int>(Exit::Usage);
  } catch (const std::exception& problem) {
    context.terminal().error(printable(problem.what()));
    return static_cast<int>(Exit::Failed);
  }
  return static_cast<int>(context.exit);
}
