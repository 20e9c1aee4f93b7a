// An expected failure, told so that a person can act on it: what was wrong, where, what to do.
// Bugs assert; low confidence is a property of an answer, never an error.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace tinyarms {

enum class ErrorCode {
  InvalidArgument,  // the caller's input is wrong: a flag, a prompt, a value
  Config,           // a configuration file or variable is wrong
  NotFound,         // a file, model, tier or entry that was named does not exist
  Io,               // the system refused: permission, full disk, unreadable
  Corrupt,          // bytes that are not what they claim to be
  Unsupported,      // well formed, but not something this build can do
  OverBudget,       // would exceed the memory budget or another limit the user set
  ContextTooLong,   // the prompt does not fit the model's context
  Interrupted,      // the user or a deadline stopped it
  Unavailable,      // busy, locked or offline: the same call may work later
  Internal,         // a dependency failed in a way nobody foresaw
};

// Short stable name for JSON and logs, e.g. "context_too_long".
std::string_view error_code_name(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::Internal;
  std::string what;   // "the file ends before its tensor data does"
  std::string where;  // "model.gguf", "config.toml:12:3"; empty where there is no place
  std::string hint;   // "import the model again: tinyarms models import …"; may be empty

  // "where: what (hint)" on one line.
  std::string message() const;

  // The same error seen from one layer up: `context` is put before `what`.
  Error wrap(std::string_view context) const;
};

}  // namespace tinyarms
