#include "questions/pack_text.h"

#include <algorithm>

#include "rules/yaml_document.h"

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
  std::string_view rest = yaml;
  size_t start = 0;
  while (!rest.empty()) {
    const size_t at = yaml.size() - rest.size();
    if (starts(take_line(rest), "---") && at > start) {
      documents.push_back(yaml.substr(start, at - start));
      start = at;
    }
  }
  if (start < yaml.size()) documents.push_back(yaml.substr(start));
  return documents;
}

void append_blank(std::string_view text, std::string& to) {
  to.append(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')), '\n');
}

bool has_key(std::string_view document, std::string_view key) {
  for (size_t at = document.find(key); at != document.npos; at = document.find(key, at + 1)) {
    if (at == 0 || document[at - 1] == '\n') return true;
  }
  return false;
}

// The examples under `valid:` and `invalid:` are half of a pack and of no use to an answer. Only
// keys of a document's own block map begin a line, so nothing else can be meant.
void append_rule(std::string_view document, PackText& pack) {
  bool skipping = false;
  while (!document.empty()) {
    const std::string_view line = take_line(document);
    const bool continues = line[0] == ' ' || line[0] == '-' || line[0] == '\n' || line[0] == '#';
    if (!continues || starts(line, "---")) skipping = line == "valid:\n" || line == "invalid:\n";
    if (starts(line, "id: ")) pack.ids.emplace_back(line.substr(4, line.find('\n') - 4));
    if (skipping) {
      append_blank(line, pack.rules);
    } else {
      pack.rules.append(line);
    }
  }
}

bool read_header(std::string_view name, std::string_view document, PackText& pack) {
  if (!has_key(document, "words:")) return false;
  const rules::YamlFile yaml = rules::read_yaml(name, document);
  if (yaml.documents.size() != 1) return false;
  const rules::YamlNode* words = yaml.documents[0].find("words");
  if (words == nullptr || words->items.empty() || yaml.documents[0].entries.size() != 1) {
    return false;
  }
  for (const rules::YamlNode& word : words->items) {
    if (word.scalar.empty()) return false;
    pack.words.push_back(word.scalar);
  }
  return true;
}

}  // namespace

PackText split_pack(std::string_view name, std::string_view yaml) {
  PackText pack;
  const std::vector<std::string_view> documents = split_documents(yaml);
  for (size_t i = 0; i < documents.size(); ++i) {
    const bool header = i == 0 && read_header(name, documents[i], pack);
    const bool units = !header && has_key(documents[i], "units:");
    if (header || units) {
      append_blank(documents[i], pack.rules);
    } else {
      append_rule(documents[i], pack);
    }
    if (units) {
      pack.units.append(documents[i]);
    } else {
      append_blank(documents[i], pack.units);
    }
  }
  return pack;
}

}  // namespace tinyarms::questions
