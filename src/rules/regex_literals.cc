#include "rules/regex_literals.h"

#include <algorithm>
#include <optional>

namespace tinyarms::rules {
namespace {

constexpr size_t kTextsMax = 64;
constexpr int kRegexDepthMax = 50;

// A part of the regex: the texts it stands for, where they are few, and what it asks for anyway.
struct Part {
  std::optional<std::vector<std::string>> texts = std::vector<std::string>{""};
  LiteralNeed need;  // beside the texts
  bool from_start = false;
  bool to_end = false;

  LiteralNeed whole_need() const {
    LiteralNeed all = need;
    if (texts) all.add(need_of_texts());
    return all;
  }
  LiteralNeed need_of_texts() const {
    std::vector<LiteralNeed> choices;
    for (const std::string& text : *texts) choices.push_back(LiteralNeed::of(text));
    return LiteralNeed::any(std::move(choices));
  }
};

Part unknown() {
  Part part;
  part.texts.reset();
  return part;
}

Part literal(std::string text) {
  Part part;
  part.texts = {std::move(text)};
  return part;
}

class Reader {
 public:
  explicit Reader(std::string_view regex) : rest_(regex) {}

  std::optional<Part> read_all() {
    Part part = read_choices(0);
    if (failed_ || !rest_.empty()) return std::nullopt;
    return part;
  }

 private:
  bool at(char c) const { return !rest_.empty() && rest_.front() == c; }
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  Part read_choices(int depth) {
    std::vector<Part> choices;
    choices.push_back(read_sequence(depth));
    while (at('|')) {
      take();
      choices.push_back(read_sequence(depth));
    }
    if (choices.size() == 1) return std::move(choices.front());
    Part all;
    all.texts->clear();
    all.from_start = all.to_end = true;
    std::vector<LiteralNeed> needs;
    for (Part& choice : choices) {
      needs.push_back(choice.whole_need());
      all.from_start = all.from_start && choice.from_start;
      all.to_end = all.to_end && choice.to_end;
      if (!choice.texts || !all.texts || all.texts->size() + choice.texts->size() > kTextsMax) {
        all.texts.reset();
      } else {
        all.texts->insert(all.texts->end(), choice.texts->begin(), choice.texts->end());
      }
    }
    // An anchor of one choice binds that choice only.
    const bool anchored = std::any_of(choices.begin(), choices.end(), [](const Part& choice) {
      return choice.from_start || choice.to_end;
    });
    if (anchored && !(all.from_start && all.to_end)) all.texts.reset();
    if (!all.texts) all.need = LiteralNeed::any(std::move(needs));
    return all;
  }

  Part read_sequence(int depth) {
    Part result;
    bool exact = true;
    bool first = true;
    std::vector<std::string> run{""};
    LiteralNeed need;
    const auto flush = [&] {
      Part piece;
      piece.texts = run;
      need.add(piece.need_of_texts());
      run.assign(1, "");
    };
    while (!rest_.empty() && !at('|') && !at(')') && !failed_) {
      if (at('^') && first) {
        take();
        result.from_start = true;
        first = false;
        continue;
      }
      first = false;
      if (at('$')) {
        take();
        if (rest_.empty() || at('|') || at(')')) {
          result.to_end = true;
        } else {
          exact = false;
        }
        continue;
      }
      const Part atom = read_repeated(depth);
      if (atom.from_start || atom.to_end) exact = false;
      need.add(atom.need);
      if (atom.texts && run.size() * atom.texts->size() <= kTextsMax) {
        run = cross(run, *atom.texts);
        continue;
      }
      exact = false;
      flush();
      if (atom.texts) need.add(atom.need_of_texts());
    }
    if (exact) {
      result.texts = std::move(run);
    } else {
      flush();
      result.texts.reset();
    }
    result.need = std::move(need);
    return result;
  }

  static std::vector<std::string> cross(const std::vector<std::string>& left,
                                        const std::vector<std::string>& right) {
    std::vector<std::string> all;
    for (const std::string& a : left) {
      for (const std::string& b : right) all.push_back(a + b);
    }
    return all;
  }

  Part read_repeated(int depth) {
    Part atom = read_atom(depth);
    for (;;) {
      bool optional = false;
      if (at('*')) {
        optional = true;
        take();
      } else if (at('?')) {
        take();
        if (at('?')) take();
        if (atom.texts && atom.need.kind == LiteralNeed::Kind::Always) {
          atom.texts->push_back("");
          continue;
        }
        atom = unknown();
        continue;
      } else if (at('+')) {
        take();
      } else if (at('{')) {
        const size_t close = rest_.find('}');
        if (close == std::string_view::npos) {
          failed_ = true;
          return unknown();
        }
        optional = rest_.size() < 2 || rest_[1] < '1' || rest_[1] > '9';
        rest_.remove_prefix(close + 1);
      } else {
        return atom;
      }
      if (at('?')) take();
      Part repeated = unknown();
      if (!optional) repeated.need = atom.whole_need();
      atom = std::move(repeated);
    }
  }

  Part read_atom(int depth) {
    const char c = take();
    if (c == '(') return read_group(depth + 1);
    if (c == '[') return read_class();
    if (c == '.') return unknown();
    if (c == '^') return unknown();
    if (c == '\\') return read_escape();
    if (c == '*' || c == '+' || c == '?' || c == '{' || c == '}' || c == ']') failed_ = true;
    std::string character(1, c);
    while (!rest_.empty() && (static_cast<unsigned char>(rest_.front()) & 0xC0) == 0x80) {
      character += take();
    }
    return literal(std::move(character));
  }

  Part read_group(int depth) {
    if (depth > kRegexDepthMax) failed_ = true;
    if (at('?')) {
      take();
      if (at('P')) take();
      if (at(':')) {
        take();
      } else if (at('<')) {
        const size_t close = rest_.find('>');
        if (close == std::string_view::npos) failed_ = true;
        rest_.remove_prefix(std::min(rest_.size(), close + 1));
      } else {
        failed_ = true;  // flags change what letters mean
      }
    }
    if (failed_) return unknown();
    Part inner = read_choices(depth);
    if (!at(')')) {
      failed_ = true;
      return unknown();
    }
    take();
    if (inner.from_start || inner.to_end) {
      Part anchored = unknown();
      anchored.need = inner.whole_need();
      return anchored;
    }
    return inner;
  }

  Part read_class() {
    if (at('^')) take();
    if (at(']')) take();
    while (!rest_.empty() && !at(']')) {
      if (at('[')) {
        const size_t close = rest_.find(":]");
        if (rest_.size() < 2 || rest_[1] != ':' || close == std::string_view::npos) {
          failed_ = true;
          return unknown();
        }
        rest_.remove_prefix(close + 2);
        continue;
      }
      if (take() == '\\' && !rest_.empty()) take();
    }
    if (rest_.empty()) {
      failed_ = true;
      return unknown();
    }
    take();
    return unknown();
  }

  Part read_escape() {
    if (rest_.empty()) {
      failed_ = true;
      return unknown();
    }
    const char c = take();
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!word) return literal(std::string(1, c));
    if (c == 'n') return literal("\n");
    if (c == 't') return literal("\t");
    if (c == 'r') return literal("\r");
    if (std::string_view("dDwWsSbBAz").find(c) == std::string_view::npos) failed_ = true;
    return unknown();
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace

RegexLiterals read_regex_literals(std::string_view regex) {
  RegexLiterals result;
  const std::optional<Part> part = Reader(regex).read_all();
  if (!part) return result;
  result.need = part->whole_need();
  if (part->texts && part->from_start && part->to_end) {
    result.whole = true;
    result.texts = *part->texts;
  }
  return result;
}

}  // namespace tinyarms::rules
