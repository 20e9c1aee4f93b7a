#include "corpus/chunk.h"

#include <algorithm>
#include <optional>

#include "corpus/document_sections.h"
#include "corpus/line_table.h"
#include "rules/outline.h"

namespace tinyarms::corpus {
namespace {

constexpr size_t kTellingMin = 12;  // letters and digits below which lines say nothing

bool says_something(std::string_view text) {
  size_t telling = 0;
  for (const char c : text) {
    const bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
    telling += letter ? 1 : 0;
    if (telling >= kTellingMin) return true;
  }
  return false;
}

struct Span {
  uint32_t first = 0;
  uint32_t last = 0;
};

// Pieces of at most the limits, cut where a blank line or a less indented one is near.
class Splitter {
 public:
  Splitter(const LineTable& lines, const ChunkLimits& limits) : lines_(lines), limits_(limits) {}

  void add(Span span, const std::string& kind, const std::string& symbol,
           std::vector<Passage>& passages) const {
    while (span.first <= span.last && lines_.is_blank(span.first)) ++span.first;
    while (span.last >= span.first && lines_.is_blank(span.last)) --span.last;
    while (span.first <= span.last) {
      const uint32_t end = piece_end(span);
      add_piece({span.first, end}, kind, symbol, passages);
      span.first = end + 1;
      while (span.first <= span.last && lines_.is_blank(span.first)) ++span.first;
    }
  }

 private:
  uint32_t piece_end(Span span) const {
    uint32_t end = span.first;
    size_t bytes = lines_.line(end).size();
    while (end < span.last && end - span.first + 1 < limits_.lines) {
      bytes += lines_.line(end + 1).size() + 1;
      if (bytes > limits_.bytes) break;
      ++end;
    }
    if (end == span.last) return end;
    // The last blank line in the second half, if any.
    for (uint32_t line = end; line > span.first + (end - span.first) / 2; --line) {
      if (lines_.is_blank(line)) return line;
    }
    return end;
  }

  // A single line over the limit (data, minified code) is cut inside.
  void add_piece(Span span, const std::string& kind, const std::string& symbol,
                 std::vector<Passage>& passages) const {
    std::string_view text = lines_.text(span.first, span.last);
    if (!says_something(text)) return;
    const size_t bytes_max = 2 * limits_.bytes;
    while (!text.empty()) {
      const size_t cut = text.size() <= bytes_max ? text.size() : cut_before(text, bytes_max);
      passages.push_back({.first_line = span.first,
                          .last_line = span.last,
                          .kind = kind,
                          .symbol = symbol,
                          .text = std::string(text.substr(0, cut))});
      text.remove_prefix(cut);
    }
  }

  // Not inside of a UTF-8 character.
  static size_t cut_before(std::string_view text, size_t at) {
    while (at > 1 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    return at;
  }

  const LineTable& lines_;
  const ChunkLimits& limits_;
};

std::string kind_name(rules::Definition definition) {
  switch (definition) {
    case rules::Definition::Function: return "function";
    case rules::Definition::Class: return "class";
    case rules::Definition::Container: return "code";
  }
  return "code";
}

// An item that fits is one passage; a larger class gives its head and its members, a larger
// function is cut into pieces; what lies between items are passages of kind "code".
class CodeChunker {
 public:
  CodeChunker(const LineTable& lines, const std::vector<rules::OutlineItem>& items,
              std::string_view language, const ChunkLimits& limits)
      : lines_(lines), items_(items), language_(language), limits_(limits),
        splitter_(lines, limits) {}

  std::vector<Passage> run() {
    size_t at = 0;
    add_range({1, lines_.count()}, 0, at, "code", "");
    return std::move(passages_);
  }

 private:
  bool fits(const rules::OutlineItem& item) const {
    return item.last_line - item.first_line + 1 <= limits_.lines &&
           lines_.text(item.first_line, item.last_line).size() <= limits_.bytes;
  }

  // The items of `depth` from `at` on that lie in the span, with what is between them. `symbol`:
  // of what encloses them.
  void add_range(Span span, uint32_t depth, size_t& at, const std::string& gap_kind,
                 const std::string& symbol) {
    uint32_t next = span.first;
    bool head = gap_kind == "class";
    while (at < items_.size() && items_[at].depth >= depth &&
           items_[at].first_line <= span.last) {
      const rules::OutlineItem& item = items_[at];
      if (item.first_line < next) {  // on a line that is taken already
        next = std::max(next, std::min(item.last_line, span.last) + 1);
        ++at;
        continue;
      }
      if (item.first_line > next) {
        splitter_.add({next, item.first_line - 1}, head ? "class" : "code", symbol, passages_);
      }
      head = false;
      next = std::min(item.last_line, span.last) + 1;
      add_item(at);
    }
    if (next <= span.last) {
      splitter_.add({next, span.last}, head ? "class" : "code", symbol, passages_);
    }
  }

  // Leaves `at` behind the item and everything in it.
  void add_item(size_t& at) {
    const rules::OutlineItem& item = items_[at];
    const std::string symbol = rules::qualified_name(item, language_);
    size_t inside = at + 1;
    const bool whole = item.definition == rules::Definition::Function ||
                       (item.definition == rules::Definition::Class && fits(item));
    size_t behind = inside;
    while (behind < items_.size() && items_[behind].depth > item.depth &&
           items_[behind].first_line <= item.last_line) {
      ++behind;
    }
    const Span span{item.first_line, item.last_line};
    if (whole || behind == inside) {
      splitter_.add(span, kind_name(item.definition), symbol, passages_);
    } else {
      add_range(span, item.depth + 1, inside, kind_name(item.definition), symbol);
    }
    at = behind;
  }

  const LineTable& lines_;
  const std::vector<rules::OutlineItem>& items_;
  std::string_view language_;
  const ChunkLimits& limits_;
  Splitter splitter_;
  std::vector<Passage> passages_;
};

}  // namespace

std::vector<Passage> chunk(std::string_view text, std::string_view language,
                           const ChunkLimits& limits) {
  const LineTable lines(text);
  std::vector<Passage> passages;
  if (lines.count() == 0) return passages;
  if (language == "markdown" || language == "rst") {
    const Splitter splitter(lines, limits);
    for (const DocumentSection& section : document_sections(lines, language)) {
      splitter.add({section.first_line, section.last_line}, "section", section.title, passages);
    }
    return passages;
  }
  if (const auto items = rules::outline(text, language); items && !items->empty()) {
    return CodeChunker(lines, *items, language, limits).run();
  }
  Splitter(lines, limits).add({1, lines.count()}, "text", "", passages);
  return passages;
}

}  // namespace tinyarms::corpus
