#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace tinyarms::cli {
namespace {

std::string_view escape_code(Style style) {
  switch (style) {
    case Style::Plain: return "";
    case Style::Dim: return "\x1b[2m";
    case Style::Bold: return "\x1b[1m";
    case Style::Red: return "\x1b[31m";
    case Style::Green: return "\x1b[32m";
    case Style::Yellow: return "\x1b[33m";
    case Style::Cyan: return "\x1b[36m";
  }
  return "";
}

bool colours_wanted(ColourChoice choice, bool is_terminal) {
  if (choice != ColourChoice::Auto) return choice == ColourChoice::Always;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  return is_terminal && !dumb && (no_color == nullptr || *no_color == '\0');
}

void write_text(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

}  // namespace

Terminal::Terminal(ColourChoice choice)
    : stdout_is_terminal_(::isatty(STDOUT_FILENO) == 1),
      stderr_is_terminal_(::isatty(STDERR_FILENO) == 1),
      colours_(colours_wanted(choice, stderr_is_terminal_)) {}

void Terminal::out(std::string_view text) const { write_text(stdout, text); }

void Terminal::note(std::string_view line) const { write_text(stderr, fmt::format("{}\n", line)); }

void Terminal::error(std::string_view line) const {
  note(fmt::format("{} {}", paint(Style::Red, "error:"), line));
}

void Terminal::status(std::string_view line) const {
  if (stderr_is_terminal_) write_text(stderr, fmt::format("\r\x1b[2K{}", line));
}

std::string Terminal::paint(Style style, std::string_view text) const {
  if (!colours_ || style == Style::Plain) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_code(style), text);
}

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080–U+009F are control characters too: UTF-8 C2 80 … C2 9F.
    const bool c1 = byte == 0xC2 && i + 1 < text.size() &&
                    static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) {
      shown += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[++i]));
    } else if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) {
      shown += fmt::format("\\x{:02x}", byte);
    } else {
      shown += text[i];
    }
  }
  return shown;
}

}  // namespace tinyarms::cli
