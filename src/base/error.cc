#include "base/error.h"

#include <fmt/format.h>

namespace tinyarms {

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument: return "invalid_argument";
    case ErrorCode::Config: return "config";
    case ErrorCode::NotFound: return "not_found";
    case ErrorCode::Io: return "io";
    case ErrorCode::Corrupt: return "corrupt";
    case ErrorCode::Unsupported: return "unsupported";
    case ErrorCode::OverBudget: return "over_budget";
    case ErrorCode::ContextTooLong: return "context_too_long";
    case ErrorCode::Interrupted: return "interrupted";
    case ErrorCode::Unavailable: return "unavailable";
    case ErrorCode::Internal: return "internal";
  }
  return "internal";
}

std::string Error::message() const {
  std::string text = where.empty() ? what : fmt::format("{}: {}", where, what);
  if (!hint.empty()) text += fmt::format(" ({})", hint);
  return text;
}

Error Error::wrap(std::string_view context) const {
  return Error{code, fmt::format("{}: {}", context, what), where, hint};
}

}  // namespace tinyarms
