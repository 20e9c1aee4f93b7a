#include "cli/exit_code.h"

namespace tinyarms::cli {

Exit exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument: return Exit::Usage;
    case ErrorCode::ContextTooLong: return Exit::Usage;
    case ErrorCode::Config: return Exit::Config;
    case ErrorCode::NotFound: return Exit::Model;
    case ErrorCode::Corrupt: return Exit::Model;
    case ErrorCode::Unsupported: return Exit::Model;
    case ErrorCode::OverBudget: return Exit::Model;
    case ErrorCode::Io: return Exit::Io;
    case ErrorCode::Unavailable: return Exit::Io;
    case ErrorCode::Interrupted: return Exit::Interrupted;
    case ErrorCode::Internal: return Exit::Failed;
  }
  return Exit::Failed;
}

}  // namespace tinyarms::cli
