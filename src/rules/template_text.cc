#include "rules/template_text.h"

#include <algorithm>
#include <set>

namespace tinyarms::rules {
namespace {

constexpr size_t kLookBack = 512;

bool begins_variable(char c) { return (c >= 'A' && c <= 'Z') || c == '_'; }
bool continues_variable(char c) { return begins_variable(c) || (c >= '0' && c <= '9'); }

struct Reference {
  size_t sigils;
  std::string_view name;
  size_t size;
};

// `text` begins with `$`. A size of 0: it is no reference.
Reference read_reference(std::string_view text) {
  size_t sigils = 0;
  while (sigils < 3 && sigils < text.size() && text[sigils] == '$') ++sigils;
  size_t end = sigils;
  while (end < text.size() && continues_variable(text[end])) ++end;
  if (end == sigils || !begins_variable(text[sigils])) return {sigils, {}, 0};
  return {sigils, text.substr(sigils, end - sigils), end};
}

}  // namespace

uint32_t indent_at(std::string_view text, size_t offset) {
  const size_t first = offset > kLookBack ? offset - kLookBack : 0;
  uint32_t indent = 0;
  for (size_t at = offset; at > first; --at) {
    const char c = text[at - 1];
    if (c == '\n') return indent;
    indent = c == ' ' ? indent + 1 : 0;
  }
  return first == 0 ? indent : 0;
}

std::string reindent(std::string_view lines, uint32_t from, uint32_t to) {
  if (from == to || lines.find('\n') == std::string_view::npos) {
    if (from <= to) return std::string(lines);
  }
  std::string out;
  bool first = true;
  for (;;) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    std::string_view line = lines.substr(0, end);
    if (from > to) {
      const std::string blanks(from - to, ' ');
      if (line.substr(0, blanks.size()) == blanks) line.remove_prefix(blanks.size());
    } else if (!first) {
      out.append(to - from, ' ');
    }
    out.append(line);
    first = false;
    if (end == lines.size()) return out;
    out += '\n';
    lines.remove_prefix(end + 1);
  }
}

TemplateText::TemplateText(std::string_view text, SlotTable& slots,
                           const std::vector<Slot>& transformed) {
  size_t written = 0;
  for (size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at)) {
    const Reference reference = read_reference(text.substr(at));
    if (reference.size == 0) {
      ++at;
      continue;
    }
    fragments_.back() = text.substr(written, at - written);
    Variable variable{Variable::Kind::Single, slots.slot(reference.name), indent_at(text, at)};
    if (reference.sigils == 3) {
      variable.kind = Variable::Kind::Multiple;
    } else if (std::find(transformed.begin(), transformed.end(), variable.slot) !=
               transformed.end()) {
      variable.kind = Variable::Kind::Transformed;
    }
    variables_.push_back(variable);
    fragments_.emplace_back();
    at += reference.size;
    written = at;
  }
  fragments_.back() = text.substr(written);
}

std::vector<Slot> TemplateText::slots() const {
  std::set<Slot> all;
  for (const Variable& variable : variables_) all.insert(variable.slot);
  return {all.begin(), all.end()};
}

void TemplateText::append(const Variable& variable, const FlatTree& tree, const Environment& env,
                          std::string& out) const {
  if (variable.kind == Variable::Kind::Transformed) {
    if (const std::string* text = env.transformed(variable.slot)) {
      out += reindent(*text, 0, variable.indent);
    }
    return;
  }
  NodeIndex first = env.single(variable.slot);
  NodeIndex last = first;
  if (variable.kind == Variable::Kind::Multiple) {
    const std::span<const NodeIndex> list = env.list(variable.slot);
    first = list.empty() ? kNoNode : list.front();
    last = list.empty() ? kNoNode : list.back();
  }
  if (first == kNoNode) return;
  const uint32_t start = tree.start(first);
  const std::string_view code = tree.text().substr(start, tree.end(last) - start);
  if (code.find('\n') == std::string_view::npos) {
    out.append(code);
  } else {
    out += reindent(code, indent_at(tree.text(), start), variable.indent);
  }
}

std::string TemplateText::fill(const FlatTree& tree, NodeIndex node,
                               const Environment& env) const {
  std::string filled = fragments_[0];
  for (size_t i = 0; i < variables_.size(); ++i) {
    append(variables_[i], tree, env, filled);
    filled += fragments_[i + 1];
  }
  return reindent(filled, 0, indent_at(tree.text(), tree.start(node)));
}

}  // namespace tinyarms::rules
