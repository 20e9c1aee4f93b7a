// Text that a person hands in (argument, stdin, file), checked before anything acts on it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <istream>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cascade/request.h"

namespace tinyarms::cli {

inline constexpr size_t kQuestionBytesMax = 1 << 20;
inline constexpr size_t kFileBytesMax = 4 << 20;

// The text itself where it is not blank, valid UTF-8, free of NUL and within `bytes_max`.
// `place` names it in errors ("the question", a file name). Errors: InvalidArgument, OverBudget.
Result<std::string> check_text(std::string text, std::string_view place, size_t bytes_max);

// Reads to the end, never more than `bytes_max` + 1.
Result<std::string> read_stream(std::istream& stream, std::string_view place, size_t bytes_max);

// "-" is standard input.
Result<cascade::ContextFile> read_context_file(const std::string& path, std::istream& standard);

}  // namespace tinyarms::cli
