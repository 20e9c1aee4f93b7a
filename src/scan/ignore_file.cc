#include "scan/ignore_file.h"

#include <fmt/format.h>

namespace tinyarms::scan {
namespace {

// Without the spaces at its end, except those behind a backslash.
std::string_view trimmed(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  while (!line.empty() && line.back() == ' ') {
    if (line.size() > 1 && line[line.size() - 2] == '\\') break;
    line.remove_suffix(1);
  }
  return line;
}

std::string_view last_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

constexpr std::string_view kGlobBytes = "*?[\\";

}  // namespace

IgnoreFile IgnoreFile::parse(std::string_view name, std::string_view text) {
  IgnoreFile file;
  file.name_ = name;
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  while (!text.empty()) {
    const size_t end = text.find('\n');
    file.add(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return file;
}

void IgnoreFile::add(std::string_view line) {
  std::string_view rest = trimmed(line);
  if (rest.empty() || rest.front() == '#') return;
  Pattern pattern;
  if (rest.front() == '!') {
    pattern.negated = true;
    rest.remove_prefix(1);
  }
  if (!rest.empty() && rest.back() == '/') {
    pattern.directories_only = true;
    rest.remove_suffix(1);
  }
  pattern.whole_path = rest.find('/') != std::string_view::npos;
  if (!rest.empty() && rest.front() == '/') rest.remove_prefix(1);
  if (rest.empty()) return;

  if (rest.find_first_of(kGlobBytes) == std::string_view::npos) {
    pattern.kind = Pattern::Kind::Literal;
    pattern.text = rest;
  } else if (!pattern.whole_path && rest.front() == '*' &&
             rest.find_first_of(kGlobBytes, 1) == std::string_view::npos) {
    pattern.kind = Pattern::Kind::Suffix;
    pattern.text = rest.substr(1);
  } else {
    auto glob = Glob::compile(rest, {.literal_separator = true, .alternatives = false});
    if (!glob) {
      notices_.push_back(fmt::format("{}: {}", name_, glob.error().what));
      return;
    }
    pattern.glob = std::move(*glob);
  }
  patterns_.push_back(std::move(pattern));
}

Verdict IgnoreFile::match(std::string_view path, bool is_directory) const {
  const std::string_view name = last_name(path);
  for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern) {
    if (pattern->directories_only && !is_directory) continue;
    const std::string_view subject = pattern->whole_path ? path : name;
    bool matched = false;
    switch (pattern->kind) {
      case Pattern::Kind::Literal: matched = subject == pattern->text; break;
      case Pattern::Kind::Suffix:
        matched = subject.size() >= pattern->text.size() &&
                  subject.substr(subject.size() - pattern->text.size()) == pattern->text;
        break;
      case Pattern::Kind::Glob: matched = pattern->glob->matches(subject); break;
    }
    if (matched) return pattern->negated ? Verdict::Included : Verdict::Ignored;
  }
  return Verdict::None;
}

}  // namespace tinyarms::scan
