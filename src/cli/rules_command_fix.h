// tinyarms rules scan --interactive: one finding after the other with what its fix would do, and a
// question about each.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/context.h"
#include "scan/fixer.h"
#include "scan/scanner.h"

namespace tinyarms::cli {

// Answers: y apply, n leave, a apply this and all that follow, q stop asking, e open the file in
// $EDITOR at the finding. Fixes of a file are written together when its last question is answered;
// an end of the input is a q.
class FixSession {
 public:
  FixSession(Context& context, bool colours) : context_(context), colours_(colours) {}

  void review(scan::FileReport& report);
  // What was fixed, for the summary.
  void add_to(scan::Totals& totals) const;

 private:
  enum class Answer { Yes, No, All, Quit, Edit };
  Answer ask(const scan::FileFindings& file, const rules::TextIndex& index,
             const scan::ChosenFix& fix, size_t number, size_t count);
  void write(const scan::FileFindings& file, std::vector<scan::ChosenFix> accepted);
  void edit(const scan::FileFindings& file, const rules::Finding& finding);

  Context& context_;
  bool colours_;
  bool all_ = false;
  bool stopped_ = false;
  size_t fixes_applied_ = 0;
  size_t files_fixed_ = 0;
  size_t fixes_refused_ = 0;
};

}  // namespace tinyarms::cli
