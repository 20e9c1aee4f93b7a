#include "cli/text_input.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/utf8.h"

namespace tinyarms::cli {
namespace {

Error too_large(std::string_view place, size_t bytes_max) {
  return Error{ErrorCode::InvalidArgument,
               fmt::format("is larger than {} KiB", bytes_max / 1024), std::string(place),
               "cut it to the part that matters"};
}

}  // namespace

Result<std::string> check_text(std::string text, std::string_view place, size_t bytes_max) {
  if (text.size() > bytes_max) return too_large(place, bytes_max);
  if (text.find_first_not_of(" \t\r\n\v\f") == std::string::npos) {
    return Error{ErrorCode::InvalidArgument, "is empty", std::string(place),
                 "ask something, e.g. tinyarms ask \"How do I reverse a list in Python?\""};
  }
  if (const size_t nul = text.find('\0'); nul != std::string::npos) {
    return Error{ErrorCode::InvalidArgument, fmt::format("has a NUL byte at offset {}", nul),
                 std::string(place), "hand in text, not binary data"};
  }
  if (const auto invalid = find_invalid_utf8(text)) {
    return Error{ErrorCode::InvalidArgument, fmt::format("is not UTF-8 at byte {}", *invalid),
                 std::string(place), "convert it first, e.g. with iconv -t utf-8"};
  }
  return text;
}

Result<std::string> read_stream(std::istream& stream, std::string_view place, size_t bytes_max) {
  std::string text;
  std::string block(1 << 16, '\0');
  while (stream && text.size() <= bytes_max) {
    stream.read(block.data(), static_cast<std::streamsize>(block.size()));
    text.append(block, 0, static_cast<size_t>(stream.gcount()));
  }
  return check_text(std::move(text), place, bytes_max);
}

Result<cascade::ContextFile> read_context_file(const std::string& path, std::istream& standard) {
  if (path == "-") {
    auto text = read_stream(standard, "standard input", kFileBytesMax);
    if (!text) return text.error();
    return cascade::ContextFile{"standard input", std::move(*text)};
  }
  auto bytes = read_file(path, kFileBytesMax);
  if (!bytes) {
    // A file that the user named on the command line is a matter of usage, not of a model.
    Error error = bytes.error();
    if (error.code == ErrorCode::NotFound) error.code = ErrorCode::InvalidArgument;
    if (error.code == ErrorCode::OverBudget) error.code = ErrorCode::InvalidArgument;
    return error;
  }
  auto text = check_text(std::move(*bytes), path, kFileBytesMax);
  if (!text) return text.error();
  return cascade::ContextFile{path, std::move(*text)};
}

}  // namespace tinyarms::cli
