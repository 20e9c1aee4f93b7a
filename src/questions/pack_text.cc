#include "questions/pack_text.h"

#include <algorithm>

namespace tinyarms::questions {
namespace {

std::string_view take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size() - 1);
  const std::string_view line = text.substr(0, end + 1);
  text.remove_prefix(line.size());
  return line;
}

bool starts(std::string_view line, std::string_view with) {
  return line.substr(0, with.size()) == with;
}

// The documents of the file, each with the line that opens it.
std::vector<std::string_view> split_documents(std::string_view yaml) {
  std::vector<std::string_view> documents;
  size_t start = 0;
  for (size_t at = yaml.find("\n---"); at != yaml.npos; at = yaml.find("\n---", at + 1)) {
    documents.push_back(yaml.substr(start, at + 1 - start));
    start = at + 1;
  }
  if (start < yaml.size()) documents.push_back(yaml.substr(start));
  return documents;
}

int count_lines(std::string_view text) {
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

void append_blank(std::string_view text, std::string& to) {
  to.append(static_cast<size_t>(count_lines(text)), '\n');
}

// "[a, 'b c', d]" on one line; nothing where it is written in another way.
std::vector<std::string> read_words(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty() && (list.back() == '\n' || list.back() == ' ')) list.remove_suffix(1);
  if (list.size() < 3 || list.front() != '[' || list.back() != ']') return {};
  list = list.substr(1, list.size() - 2);
  while (!list.empty()) {
    const bool quoted = list.front() == '\'';
    if (quoted) list.remove_prefix(1);
    const size_t end = std::min(list.find(quoted ? '\'' : ','), list.size());
    words.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + (quoted ? 1 : 0), list.size()));
    if (!list.empty() && list.front() != ',') return {};
    list.remove_prefix(std::min<size_t>(1, list.size()));
    while (!list.empty() && list.front() == ' ') list.remove_prefix(1);
    const bool plain = !quoted && words.back().find_first_of("\"#:[]{}") != std::string::npos;
    if (words.back().empty() || plain) return {};
  }
  return words;
}

// One document. The examples under `valid:` and `invalid:` are half of a pack and of no use to an
// answer. Only keys of a document's own block map begin a line, so nothing else can be meant.
struct Document {
  PackSection section;
  bool units = false;
};

Document read_document(std::string_view text) {
  Document document;
  bool skipping = false;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const bool continues = line[0] == ' ' || line[0] == '-' || line[0] == '\n' || line[0] == '#';
    if (!continues || starts(line, "---")) skipping = line == "valid:\n" || line == "invalid:\n";
    if (starts(line, "units:")) document.units = true;
    if (starts(line, "words: ")) document.section.words = read_words(line.substr(7));
    if (starts(line, "id: ")) {
      document.section.ids.emplace_back(line.substr(4, line.find('\n') - 4));
    }
    if (skipping) {
      append_blank(line, document.section.yaml);
    } else {
      document.section.yaml.append(line);
    }
  }
  return document;
}

}  // namespace

PackText split_pack(std::string_view yaml) {
  PackText pack;
  PackSection rest;
  int lines = 0;
  for (const std::string_view text : split_documents(yaml)) {
    Document document = read_document(text);
    const bool own = !document.units && !document.section.words.empty();
    if (document.units) {
      pack.units.append(static_cast<size_t>(lines - count_lines(pack.units)), '\n');
      pack.units.append(text);
    }
    if (own || document.units) {
      append_blank(text, rest.yaml);
    } else {
      rest.yaml.append(document.section.yaml);
      for (std::string& id : document.section.ids) rest.ids.push_back(std::move(id));
    }
    if (own) {
      document.section.lines_before = lines;
      pack.sections.push_back(std::move(document.section));
    }
    lines += count_lines(text);
  }
  if (rest.yaml.find_first_not_of('\n') != std::string::npos) {
    pack.sections.push_back(std::move(rest));
  }
  return pack;
}

}  // namespace tinyarms::questions
