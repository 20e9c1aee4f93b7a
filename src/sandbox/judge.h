// Runs code that nobody has vouched for, and says how it ended. The port between scorers (or
// confidence signals) and the sandbox; doubles of it serve tests only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::sandbox {

struct SourceFile {
  std::string name;  // relative, no "..": "org/javatuples/Pair.java"
  std::string text;
};

struct Program {
  std::string language;  // "python", "cpp", "java", "javascript", "typescript", "go", "rust"
  std::string source;    // a whole program
  std::string input = {};  // its standard input
  // Python only: tests that use what `source` defines. They run in a process of their own, and only
  // plain values pass between the two (warden/duel.py), so that `source` can neither see nor
  // influence them; it passed if the tests ran to their end. Builtins are the tests' own, unless
  // their first line is "# of the solution: sum", which names those that `source` defines anew.
  std::string tests = {};
  std::vector<SourceFile> files = {};  // beside the source; not for Python
  double cpu_seconds = 0;              // another limit than the judge's own
};

struct Outcome {
  enum class End { Exited, Signalled, TimedOut, MemoryExceeded, OutputExceeded, NotCompiled };

  End end = End::Exited;
  int exit_code = 0;   // where Exited; the signal's number where Signalled
  std::string output;  // standard output, cut at the limit; valid UTF-8
  std::string errors;  // standard error (or the compiler's messages), likewise
  double seconds = 0;

  bool passed() const { return end == End::Exited && exit_code == 0; }
};

class Judge {
 public:
  virtual ~Judge() = default;
  // Whether programs of this language can run here; an Error (Unsupported) says what is missing
  // and how to install it.
  virtual Result<void> available(std::string_view language) = 0;
  // An Error means that the sandbox failed, never the program. Thread-safe.
  virtual Result<Outcome> run(const Program& program) = 0;
};

}  // namespace tinyarms::sandbox
