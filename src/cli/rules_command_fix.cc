#include "cli/rules_command_fix.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "scan/display.h"

namespace tinyarms::cli {

void FixSession::review(scan::FileReport& report) {
  for (const std::string& notice : report.notices) {
    context_.terminal().note(printable(report.path + ": " + notice));
  }
  if (report.kept == nullptr || stopped_) return;
  const scan::FileFindings& file = *report.kept;
  const rules::TextIndex index(file.source.text);
  const std::vector<scan::ChosenFix> fixes = scan::first_fixes(file.findings);
  std::vector<scan::ChosenFix> accepted;
  for (size_t i = 0; i < fixes.size() && !stopped_; ++i) {
    const Answer answer = all_ ? Answer::Yes : ask(file, index, fixes[i], i + 1, fixes.size());
    switch (answer) {
      case Answer::All: all_ = true; [[fallthrough]];
      case Answer::Yes: accepted.push_back(fixes[i]); break;
      case Answer::No: break;
      case Answer::Quit: stopped_ = true; break;
      case Answer::Edit:
        // The editor must see what was accepted, and makes the other findings of the file stale.
        write(file, std::move(accepted));
        return edit(file, *fixes[i].finding);
    }
  }
  write(file, std::move(accepted));
}

FixSession::Answer FixSession::ask(const scan::FileFindings& file, const rules::TextIndex& index,
                                   const scan::ChosenFix& fix, size_t number, size_t count) {
  const rules::Finding& finding = *fix.finding;
  const Terminal terminal = context_.terminal();
  terminal.out(fmt::format("{}:{}:{}: {}{}{} ({}/{})\n", scan::harmless(file.path),
                           finding.start.line + 1, finding.start.column + 1,
                           scan::harmless(finding.rule->id), finding.message.empty() ? "" : ": ",
                           scan::harmless(finding.message), number, count));
  terminal.out(scan::fix_preview(index, *fix.fix, colours_));
  for (;;) {
    terminal.out("Apply? [y]es, [n]o, [a]ll, [e]dit, [q]uit: ");
    std::string line;
    if (context_.stop.raised() || !std::getline(context_.input, line)) {
      terminal.out("\n");
      return Answer::Quit;
    }
    if (line == "y" || line == "yes") return Answer::Yes;
    if (line == "n" || line == "no") return Answer::No;
    if (line == "a" || line == "all") return Answer::All;
    if (line == "q" || line == "quit") return Answer::Quit;
    if (line == "e" || line == "edit") return Answer::Edit;
  }
}

void FixSession::write(const scan::FileFindings& file, std::vector<scan::ChosenFix> accepted) {
  if (accepted.empty()) return;
  const Terminal terminal = context_.terminal();
  const scan::FixedText fixed = scan::apply_fixes(file, std::move(accepted));
  for (const std::vector<std::string>* list : {&fixed.overlapping, &fixed.rolled_back}) {
    for (const std::string& entry : *list) {
      terminal.note(printable(fmt::format("{}: not fixed: {}", file.path, entry)));
      ++fixes_refused_;
    }
  }
  if (fixed.applied == 0) return;
  auto written = scan::replace_file(file.path, fixed.text, file.source.stamp);
  if (!written) {
    terminal.error(printable(written.error().message()));
    ++fixes_refused_;
    return;
  }
  fixes_applied_ += fixed.applied;
  ++files_fixed_;
}

void FixSession::edit(const scan::FileFindings& file, const rules::Finding& finding) {
  const char* named = std::getenv("VISUAL");
  if (named == nullptr || *named == '\0') named = std::getenv("EDITOR");
  const std::string editor = named == nullptr || *named == '\0' ? "vi" : named;
  const std::string line = fmt::format("+{}", finding.start.line + 1);
  const pid_t child = ::fork();
  if (child == 0) {
    // By the shell, because EDITOR may hold arguments; the file's name never passes through it.
    ::execl("/bin/sh", "sh", "-c", (editor + " \"$@\"").c_str(), "sh", line.c_str(),
            file.path.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    context_.terminal().error(printable("the editor '" + editor + "' failed; set EDITOR"));
  }
}

void FixSession::add_to(scan::Totals& totals) const {
  totals.fixes_applied += fixes_applied_;
  totals.files_fixed += files_fixed_;
  totals.fixes_refused += fixes_refused_;
}

}  // namespace tinyarms::cli
