#include "scan/display.h"

#include <fmt/format.h>

#include <algorithm>

namespace tinyarms::scan {
namespace {

constexpr size_t kTabColumns = 4;
constexpr size_t kPreviewLinesMax = 12;

std::string_view escape_code(Tone tone) {
  switch (tone) {
    case Tone::Plain: return "";
    case Tone::Bold: return "\x1b[1m";
    case Tone::Dim: return "\x1b[2m";
    case Tone::Red: return "\x1b[31m";
    case Tone::Green: return "\x1b[32m";
    case Tone::Yellow: return "\x1b[33m";
    case Tone::Blue: return "\x1b[34m";
  }
  return "";
}

// Characters of a harmless text, the columns that it takes (wide characters count as one).
size_t columns(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

size_t digits(size_t number) { return fmt::format_int(number).size(); }

// One line of code cut to a window that holds the marked part (or its beginning).
struct Window {
  std::string before;
  std::string marked;
  std::string after;
};

Window cut(std::string_view line, size_t mark_start, size_t mark_end, size_t columns_max) {
  // Bytes stand for columns here: a window need not be exact.
  size_t from = 0;
  size_t to = line.size();
  if (line.size() > columns_max) {
    from = mark_start > columns_max / 4 ? mark_start - columns_max / 4 : 0;
    to = std::min(line.size(), from + columns_max);
    const auto inside = [&](size_t at) {
      return at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0) == 0x80;
    };
    while (inside(from)) ++from;
    while (to > from && inside(to)) --to;
  }
  mark_end = std::min(mark_end, to);
  mark_start = std::min(mark_start, mark_end);
  Window window;
  window.before = (from > 0 ? "…" : "") + harmless(line.substr(from, mark_start - from));
  window.marked = harmless(line.substr(mark_start, mark_end - mark_start));
  window.after = harmless(line.substr(mark_end, to - mark_end));
  if (to < line.size()) window.after += "…";
  return window;
}

std::string_view without_return(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

void add_diff_lines(std::string& shown, std::string_view text, size_t number, char sign,
                    bool colours) {
  const Tone tone = sign == '-' ? Tone::Red : Tone::Green;
  for (size_t count = 0; count == 0 || !text.empty(); ++count) {
    if (count == kPreviewLinesMax) {
      shown += fmt::format("     {} …\n", sign);
      return;
    }
    const size_t end = text.find('\n');
    const std::string_view line = without_return(text.substr(0, end));
    const Window window = cut(line, 0, 0, FrameOptions{}.columns_max);
    shown += painted(colours, tone,
                     fmt::format("{:4} {} {}", number + count, sign, window.after));
    shown += '\n';
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

}  // namespace

std::string painted(bool colours, Tone tone, std::string_view text) {
  if (!colours || tone == Tone::Plain || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_code(tone), text);
}

std::string harmless(std::string_view text, bool lines) {
  std::string shown;
  shown.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 = byte == 0xC2 && i + 1 < text.size() &&
                    static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) {
      shown += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[++i]));
    } else if (byte == '\t') {
      shown.append(kTabColumns, ' ');
    } else if ((byte < 0x20 && !(lines && byte == '\n')) || byte == 0x7F) {
      shown += fmt::format("\\x{:02x}", byte);
    } else {
      shown += text[i];
    }
  }
  return shown;
}

std::string code_frame(const rules::TextIndex& index, rules::ByteRange range,
                       const FrameOptions& options) {
  const size_t first = index.line_of(range.start);
  const size_t last = index.line_of(range.end > range.start ? range.end - 1 : range.end);
  const size_t width = std::max<size_t>(3, digits(last + 1));
  const std::string gutter =
      painted(options.colours, Tone::Blue, fmt::format("{:{}} |", "", width));
  std::string frame;
  for (size_t number = first; number <= last; ++number) {
    if (number - first == options.lines_max - 2 && last - number > 1) {
      frame += gutter + fmt::format(" … {} lines …\n", last - number);
      number = last;
    }
    const std::string_view line = without_return(index.line(number));
    const size_t start = index.line_start(number);
    const size_t mark_start = std::min(line.size(), range.start > start ? range.start - start : 0);
    const size_t mark_end = std::min(line.size(), range.end - start);
    // Indentation within the match is not underlined.
    size_t visible = mark_start;
    while (number > first && visible < mark_end &&
           (line[visible] == ' ' || line[visible] == '\t')) {
      ++visible;
    }
    const Window window = cut(line, visible, mark_end, options.columns_max);
    frame += painted(options.colours, Tone::Blue, fmt::format("{:{}} |", number + 1, width));
    frame += " " + window.before + painted(options.colours, options.tone, window.marked) +
             window.after + "\n";
    const std::string carets(std::max<size_t>(1, columns(window.marked)), '^');
    frame += gutter + std::string(columns(window.before) + 1, ' ') +
             painted(options.colours, options.tone, carets) + "\n";
  }
  return frame;
}

std::string fix_preview(const rules::TextIndex& index, const rules::Fix& fix, bool colours) {
  const size_t first = index.line_of(fix.range.start);
  const size_t start = index.line_start(first);
  const size_t end = index.line_end(index.line_of(fix.range.end));
  const std::string_view text = index.text();
  const std::string fixed = std::string(text.substr(start, fix.range.start - start)) +
                            fix.replacement +
                            std::string(text.substr(fix.range.end, end - fix.range.end));
  std::string shown;
  add_diff_lines(shown, text.substr(start, end - start), first + 1, '-', colours);
  if (!fixed.empty()) add_diff_lines(shown, fixed, first + 1, '+', colours);
  return shown;
}

}  // namespace tinyarms::scan
