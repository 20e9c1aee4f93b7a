#include "gate/tokens.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace tinyarms::gate {
namespace {

// Bytes of other scripts count as letters: they are compared as they stand.
bool is_letter(char c) {
  return is_upper(c) || is_lower(c) || static_cast<unsigned char>(c) >= 128;
}
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

// Curly quotes, long dashes and full-width marks become their ASCII forms.
std::string with_plain_marks(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kMarks = {{
      {"\u2018", "'"}, {"\u2019", "'"}, {"\u201C", "\""}, {"\u201D", "\""}, {"\u2013", " - "},
      {"\u2014", " - "}, {"\u2026", "..."}, {"\u00A0", " "}, {"\uFF1F", "?"}, {"\uFF01", "!"},
      {"\u3002", "."}, {"\uFF0C", ","}, {"\u200B", ""}, {"\uFEFF", ""}}};
  std::string plain;
  for (size_t i = 0; i < text.size();) {
    const auto mark = std::find_if(kMarks.begin(), kMarks.end(), [&](const auto& one) {
      return text.substr(i, one.first.size()) == one.first;
    });
    if (static_cast<unsigned char>(text[i]) < 128 || mark == kMarks.end()) {
      plain += text[i++];
    } else {
      plain += mark->second;
      i += mark->first.size();
    }
  }
  return plain;
}

class Tokenizer {
 public:
  Tokenizer(std::string_view text, KnownWord known, const void* context)
      : text_(text), known_(known), context_(context) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) {
      if (is_blank(text_[at_])) {
        ++at_;
      } else if (!take_quote()) {
        take_chunk();
      }
    }
    return std::move(tokens_);
  }

 private:
  void push(TokenKind kind, std::string_view text) {
    tokens_.push_back({kind, std::string(text),
                       kind == TokenKind::Word ? lowered(text) : std::string(text)});
  }

  // A span in backticks, a fence, double quotes, or single quotes that stand like double ones.
  bool take_quote() {
    const std::string_view rest = text_.substr(at_);
    std::string_view mark;
    for (const std::string_view one : {"```", "`", "\""}) {
      if (mark.empty() && rest.starts_with(one)) mark = one;
    }
    const bool single = mark.empty() && rest.starts_with("'");
    if (single) mark = "'";
    if (mark.empty()) return false;
    size_t end = rest.find(mark, mark.size());
    while (single && end != std::string_view::npos && end + 1 < rest.size() &&
           is_letter(rest[end + 1])) {
      end = rest.find(mark, end + 1);  // an apostrophe within
    }
    if (end == std::string_view::npos || end == mark.size()) return false;
    std::string_view inside = rest.substr(mark.size(), end - mark.size());
    while (!inside.empty() && is_blank(inside.front())) inside.remove_prefix(1);
    while (!inside.empty() && is_blank(inside.back())) inside.remove_suffix(1);
    if (inside.empty()) return false;
    push(TokenKind::Quote, inside);
    at_ += end + mark.size();
    return true;
  }

  void take_chunk() {
    size_t end = at_;
    while (end < text_.size() && !is_blank(text_[end]) && text_[end] != '`' && text_[end] != '"') {
      ++end;
    }
    if (end == at_) ++end;  // a quotation mark without its partner
    std::string_view chunk = text_.substr(at_, end - at_);
    at_ = end;
    take_stripped(strip(chunk));
  }

  // Punctuation around a word goes; brackets only where their partner is not in the word.
  static std::string_view strip(std::string_view chunk) {
    const auto opens = [&] {
      const char c = chunk.front();
      if (c == '(') return chunk.find(')') == std::string_view::npos || chunk.back() == ')';
      if (c == '[') return chunk.find(']') == std::string_view::npos;
      if (c == '{') return chunk.find('}') == std::string_view::npos;
      return c == '\'' || c == ',' || c == ';' || c == '?' || c == '"';
    };
    const auto closes = [&] {
      const char c = chunk.back();
      if (c == ')') return chunk.find('(') == std::string_view::npos;
      if (c == ']') return chunk.find('[') == std::string_view::npos;
      if (c == '}') return chunk.find('{') == std::string_view::npos;
      if (c == '!') return chunk.size() > 2 && is_letter(chunk[chunk.size() - 2]);  // not "5!"
      return c == '\'' || c == ',' || c == ';' || c == ':' || c == '.' || c == '?' || c == '"';
    };
    while (chunk.size() > 1 && opens()) chunk.remove_prefix(1);
    while (chunk.size() > 1 && closes()) chunk.remove_suffix(1);
    return chunk;
  }

  void take_stripped(std::string_view chunk) {
    if (chunk.empty()) return;
    if (chunk.size() == 1 && std::string_view(".,;:?'\"()").find(chunk[0]) != chunk.npos) return;
    if (take_number(chunk) || take_word(chunk)) return;
    const bool any_letter = std::any_of(chunk.begin(), chunk.end(),
                                        [](char c) { return is_letter(c) || is_digit(c); });
    if (!any_letter) return push(TokenKind::Symbol, chunk);
    if (chunk.find('/') != chunk.npos || chunk.find('\\') != chunk.npos) {
      return push(TokenKind::Path, chunk);
    }
    const bool versioned = std::any_of(chunk.begin(), chunk.end(), is_digit) &&
                           (is_digit(chunk[0]) ||
                            ((chunk[0] == 'v' || chunk[0] == 'V') && chunk.size() > 1 &&
                             is_digit(chunk[1])));
    push(versioned ? TokenKind::Version : TokenKind::Identifier, chunk);
  }

  // "1,000", "-3.5", "10ms", "50%", "$5"; a second point makes it a version.
  bool take_number(std::string_view chunk) {
    std::string_view rest = chunk;
    std::string number;
    if (rest.size() > 1 && (rest[0] == '$') && is_digit(rest[1])) {
      push(TokenKind::Unit, "$");
      rest.remove_prefix(1);
    } else if (rest.size() > 1 && (rest[0] == '-' || rest[0] == '+') && is_digit(rest[1])) {
      number = rest[0];
      rest.remove_prefix(1);
    }
    if (rest.empty() || !is_digit(rest[0])) return false;
    size_t end = 0;
    bool point = false;
    while (end < rest.size()) {
      const bool digit_follows = end + 1 < rest.size() && is_digit(rest[end + 1]);
      if (is_digit(rest[end])) {
        number += rest[end];
      } else if (rest[end] == '.' && digit_follows && !point) {
        number += '.';
        point = true;
      } else if (!(rest[end] == ',' && digit_follows)) {
        break;
      }
      ++end;
    }
    const std::string_view unit = rest.substr(end);
    const bool is_unit = unit.size() <= 4 && std::all_of(unit.begin(), unit.end(), [](char c) {
                           return is_letter(c) || c == '%';
                         });
    if (!is_unit) return false;  // "3.10.2", "2024-01-31", "5+3"
    static constexpr std::array<std::string_view, 4> kOrdinals = {"st", "nd", "rd", "th"};
    if (std::find(kOrdinals.begin(), kOrdinals.end(), lowered(unit)) != kOrdinals.end()) {
      push(TokenKind::Word, chunk);
      return true;
    }
    push(TokenKind::Number, number);
    if (!unit.empty()) push(TokenKind::Unit, unit);
    return true;
  }

  bool take_word(std::string_view chunk) {
    const std::string folded = lowered(chunk);
    const bool after_number = !tokens_.empty() && tokens_.back().kind == TokenKind::Number;
    const bool letters = std::all_of(chunk.begin(), chunk.end(), is_letter);
    if (letters && after_number && chunk.size() <= 3 && !known_(context_, folded)) {
      push(TokenKind::Unit, chunk);  // "5 MB" is not "5 Mb"
      return true;
    }
    if (letters && !is_camel(chunk)) {
      push(TokenKind::Word, chunk);
      return true;
    }
    if (known_(context_, folded)) {
      tokens_.push_back({TokenKind::Word, std::string(chunk), folded});
      return true;
    }
    return take_contraction(chunk, folded) || take_hyphenated(chunk);
  }

  static bool is_camel(std::string_view word) {
    bool seen_lower = false;
    for (const char c : word) {
      if (is_upper(c) && seen_lower) return true;
      seen_lower = seen_lower || is_lower(c);
    }
    return false;
  }

  // "don't" is "do not", "what's" is "what is", "Ann's" is "Ann".
  bool take_contraction(std::string_view chunk, const std::string& folded) {
    const size_t mark = folded.rfind('\'');
    if (mark == folded.npos || mark == 0) return false;
    const std::string tail = folded.substr(mark + 1);
    std::string_view head = chunk.substr(0, mark);
    if (!std::all_of(head.begin(), head.end(), is_letter)) return false;
    if (tail == "t" && folded.size() > 3 && folded[mark - 1] == 'n') {
      head.remove_suffix(1);
      std::string stem = lowered(head);
      if (stem == "ca") stem = "can";
      if (stem == "wo") stem = "will";
      if (stem == "sha") stem = "shall";
      if (!stem.empty()) push(TokenKind::Word, stem);
      push(TokenKind::Word, "not");
      return true;
    }
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kTails = {
        {{"re", "are"}, {"ll", "will"}, {"ve", "have"}, {"m", "am"}, {"d", "would"}}};
    push(TokenKind::Word, head);
    if (tail == "s") {
      static constexpr std::array<std::string_view, 9> kPronouns = {
          "what", "how", "where", "who", "that", "there", "it", "here", "why"};
      const bool is =
          std::find(kPronouns.begin(), kPronouns.end(), lowered(head)) != kPronouns.end();
      if (is) push(TokenKind::Word, "is");
      return true;
    }
    for (const auto& [short_form, word] : kTails) {
      if (tail == short_form) push(TokenKind::Word, word);
    }
    return true;
  }

  // "line-by-line" is three words; "-f" and "a-1" are not words.
  bool take_hyphenated(std::string_view chunk) {
    if (chunk.front() == '-' || chunk.back() == '-') return false;
    const bool words = std::all_of(chunk.begin(), chunk.end(), [](char c) {
      return is_letter(c) || c == '-';
    });
    if (!words || is_camel(chunk)) return false;
    while (!chunk.empty()) {
      const size_t end = std::min(chunk.find('-'), chunk.size());
      if (end > 0) push(TokenKind::Word, chunk.substr(0, end));
      chunk.remove_prefix(std::min(end + 1, chunk.size()));
    }
    return true;
  }

  std::string_view text_;
  KnownWord known_;
  const void* context_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
};

// Somebody who shouts names no identifiers.
std::string without_shouting(std::string text) {
  const auto uppers = std::count_if(text.begin(), text.end(), is_upper);
  const auto lowers = std::count_if(text.begin(), text.end(), is_lower);
  return lowers == 0 && uppers > 12 ? lowered(text) : text;
}

}  // namespace

std::vector<Token> tokenize_with(std::string_view text, KnownWord known, const void* context) {
  const std::string plain = without_shouting(with_plain_marks(text));
  return Tokenizer(plain, known, context).run();
}

}  // namespace tinyarms::gate
