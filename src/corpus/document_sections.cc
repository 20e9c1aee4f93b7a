#include "corpus/document_sections.h"

#include <algorithm>
#include <optional>

namespace tinyarms::corpus {
namespace {

constexpr size_t kTitleBytesMax = 120;

struct Heading {
  uint32_t first_line = 0;
  size_t level = 1;
  std::string title;
};

std::string_view stripped(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string title_of(std::string_view text) {
  text = stripped(text);
  if (text.size() > kTitleBytesMax) {
    size_t cut = kTitleBytesMax;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
    text = text.substr(0, cut);
  }
  return std::string(text);
}

// "## Title ##" → level and title.
std::optional<Heading> hash_heading(std::string_view line) {
  const size_t indent = line.find_first_not_of(' ');
  if (indent == std::string_view::npos || indent > 3) return std::nullopt;
  line.remove_prefix(indent);
  const size_t level = std::min(line.find_first_not_of('#'), line.size());
  if (level == 0 || level > 6) return std::nullopt;
  std::string_view title = line.substr(level);
  if (!title.empty() && title.front() != ' ' && title.front() != '\t') return std::nullopt;
  title = stripped(title);
  const size_t last = title.find_last_not_of('#');
  if (last == std::string_view::npos) title = {};
  else if (last + 1 < title.size() && title[last] == ' ') title = title.substr(0, last);
  return Heading{.level = level, .title = title_of(title)};
}

// The character that a line consists of, at least `length` times; 0 where it does not.
char ruler(std::string_view line, size_t length) {
  line = stripped(line);
  if (line.size() < std::max<size_t>(length, 1)) return 0;
  const char first = line.front();
  if (std::string_view("=-~^\"'`#*+.:_<>").find(first) == std::string_view::npos) return 0;
  return line.find_first_not_of(first) == std::string_view::npos ? first : '\0';
}

// Code fences open and close; `fence` is the one that is open.
void follow_fence(std::string_view line, std::string& fence) {
  const std::string_view text = stripped(line);
  for (const char mark : {'`', '~'}) {
    const size_t run = std::min(text.find_first_not_of(mark), text.size());
    if (run < 3) continue;
    if (fence.empty()) {
      if (mark == '`' && text.find('`', run) != std::string_view::npos) return;
      fence.assign(run, mark);
    } else if (fence.front() == mark && run >= fence.size() && run == text.size()) {
      fence.clear();
    }
    return;
  }
}

std::vector<Heading> markdown_headings(const LineTable& lines) {
  std::vector<Heading> headings;
  std::string fence;
  for (uint32_t n = 1; n <= lines.count(); ++n) {
    const std::string_view line = lines.line(n);
    const bool was_open = !fence.empty();
    follow_fence(line, fence);
    if (was_open || !fence.empty()) continue;
    if (auto heading = hash_heading(line)) {
      heading->first_line = n;
      headings.push_back(std::move(*heading));
      continue;
    }
    const char mark = n > 1 ? ruler(line, 2) : '\0';
    if ((mark != '=' && mark != '-') || lines.is_blank(n - 1)) continue;
    const std::string_view above = lines.line(n - 1);
    const bool text = above.find_first_of("|>#") != 0 && above.substr(0, 2) != "- " &&
                      ruler(above, 2) == 0 && (n == 2 || lines.is_blank(n - 2));
    if (!text) continue;
    headings.push_back({.first_line = n - 1,
                        .level = mark == '=' ? size_t{1} : size_t{2},
                        .title = title_of(above)});
  }
  return headings;
}

// Levels in the order in which their marks first appear.
std::vector<Heading> rst_headings(const LineTable& lines) {
  std::vector<Heading> headings;
  std::string marks;
  for (uint32_t n = 2; n <= lines.count(); ++n) {
    const std::string_view above = lines.line(n - 1);
    if (lines.is_blank(n - 1) || above.front() == ' ' || ruler(above, 1) != 0) continue;
    const char mark = ruler(lines.line(n), std::max<size_t>(stripped(above).size(), 3));
    if (mark == 0) continue;
    const bool overline = n > 2 && ruler(lines.line(n - 2), 3) == mark;
    if (!overline && n > 2 && !lines.is_blank(n - 2)) continue;
    size_t level = marks.find(mark);
    if (level == std::string::npos) {
      level = marks.size();
      marks += mark;
    }
    headings.push_back({.first_line = overline ? n - 2 : n - 1,
                        .level = level + 1,
                        .title = title_of(above)});
  }
  return headings;
}

}  // namespace

std::vector<DocumentSection> document_sections(const LineTable& lines, std::string_view language) {
  const std::vector<Heading> headings =
      language == "rst" ? rst_headings(lines) : markdown_headings(lines);
  std::vector<DocumentSection> sections;
  if (lines.count() == 0) return sections;
  if (headings.empty() || headings.front().first_line > 1) {
    const uint32_t last = headings.empty() ? lines.count() : headings.front().first_line - 1;
    sections.push_back({.first_line = 1, .last_line = last, .title = {}});
  }
  std::vector<Heading> open;
  for (size_t i = 0; i < headings.size(); ++i) {
    while (!open.empty() && open.back().level >= headings[i].level) open.pop_back();
    open.push_back(headings[i]);
    std::string title;
    for (const Heading& each : open) {
      if (each.title.empty()) continue;
      title += title.empty() ? each.title : " > " + each.title;
    }
    const uint32_t last = i + 1 < headings.size() ? headings[i + 1].first_line - 1 : lines.count();
    sections.push_back(
        {.first_line = headings[i].first_line, .last_line = last, .title = std::move(title)});
  }
  return sections;
}

}  // namespace tinyarms::corpus
