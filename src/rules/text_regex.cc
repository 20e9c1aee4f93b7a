#include "rules/text_regex.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <optional>

#include "rules/regex_literals.h"

namespace tinyarms::rules {
namespace {

constexpr size_t kRegexBytesMax = 64 << 10;

struct Translation {
  std::string ascii;
  std::string unicode;  // the same where no class is in it
  std::string refused;  // why not; empty: fine
};

struct UnicodeClass {
  char letter;
  std::string_view inside;  // of a bracket expression
};

constexpr UnicodeClass kClasses[] = {
    {'d', "\\p{Nd}"},
    {'w', "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{200C}\\x{200D}"},
    {'s', "\\s\\x{0B}\\x{85}\\p{Z}"},
};

// From Rust's syntax to RE2's.
class Translator {
 public:
  explicit Translator(std::string_view source) : rest_(source) {}

  Translation run() {
    while (!rest_.empty() && result_.refused.empty()) step();
    return std::move(result_);
  }

 private:
  void step() {
    if (rest_.front() == '\\') {
      escape();
    } else if (in_class_) {
      step_in_class();
    } else if (rest_.substr(0, 3) == "(?<" && rest_.size() > 3) {
      if (rest_[3] == '=' || rest_[3] == '!') {
        refuse("look-behind is not supported: the regex engine runs in linear time");
        return;
      }
      emit("(?P<");
      rest_.remove_prefix(3);
    } else if (rest_.substr(0, 3) == "(?=" || rest_.substr(0, 3) == "(?!") {
      refuse("look-ahead is not supported: the regex engine runs in linear time");
    } else {
      if (rest_.front() == '[') {
        in_class_ = true;
        class_start_ = true;
      }
      copy(1);
      if (in_class_ && !rest_.empty() && rest_.front() == '^') copy(1);
    }
  }

  void step_in_class() {
    const char c = rest_.front();
    if (c == ']' && !class_start_) {
      in_class_ = false;
    } else if (c == '[') {
      const size_t close = rest_.find(":]");
      if (rest_.size() > 1 && rest_[1] == ':' && close != std::string_view::npos) {
        copy(close + 2);
        class_start_ = false;
        return;
      }
      refuse("a character class inside of another is not supported");
    } else if (rest_.substr(0, 2) == "&&" || rest_.substr(0, 2) == "~~" ||
               (rest_.substr(0, 2) == "--" && !class_start_)) {
      refuse("operations on character classes (&&, --, ~~) are not supported");
    }
    class_start_ = false;
    copy(1);
  }

  void escape() {
    class_start_ = false;
    if (rest_.size() < 2) {
      copy(1);
      return;
    }
    const char c = rest_[1];
    if (c >= '1' && c <= '9') {
      refuse("back-references are not supported: the regex engine runs in linear time");
    } else if (c == '<' || c == '>' || rest_.substr(0, 3) == "\\b{") {
      refuse("\\<, \\> and \\b{…} are not supported; use \\b");
    } else if (c == 'u' || c == 'U') {
      code_point();
    } else if (!unicode_class(c)) {
      copy(2);
    }
  }

  bool unicode_class(char c) {
    const char lower = static_cast<char>(c | 0x20);
    for (const UnicodeClass& known : kClasses) {
      if (known.letter != lower || (in_class_ && c != lower)) continue;
      result_.ascii.append(rest_.substr(0, 2));
      result_.unicode += in_class_ ? std::string(known.inside)
                                   : fmt::format("[{}{}]", c == lower ? "" : "^", known.inside);
      rest_.remove_prefix(2);
      return true;
    }
    return false;
  }

  // \u00e9, \U0001F600, \u{e9}
  void code_point() {
    if (rest_.size() > 2 && rest_[2] == '{') {
      emit("\\x");
      rest_.remove_prefix(2);
      return;
    }
    const size_t digits = rest_[1] == 'u' ? 4 : 8;
    emit("\\x{");
    emit(rest_.substr(2, digits));
    emit("}");
    rest_.remove_prefix(std::min(rest_.size(), 2 + digits));
  }

  void emit(std::string_view text) {
    result_.ascii.append(text);
    result_.unicode.append(text);
  }
  void copy(size_t count) {
    emit(rest_.substr(0, count));
    rest_.remove_prefix(std::min(rest_.size(), count));
  }
  void refuse(std::string_view why) { result_.refused = why; }

  std::string_view rest_;
  Translation result_;
  bool in_class_ = false;
  bool class_start_ = false;  // where `]` and `-` are themselves
};

std::unique_ptr<re2::RE2> compile_engine(const std::string& regex) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  return std::make_unique<re2::RE2>(regex, options);
}

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The group that `$name` at the front of `by` names; takes it off. Nothing: no reference.
std::optional<std::string> take_reference(std::string_view& by) {
  std::string_view rest = by.substr(1);
  std::string_view name;
  if (!rest.empty() && rest.front() == '{') {
    const size_t close = rest.find('}');
    if (close == std::string_view::npos) return std::nullopt;
    name = rest.substr(1, close - 1);
    by.remove_prefix(close + 2);
    return std::string(name);
  }
  size_t length = 0;
  while (length < rest.size() && is_name_byte(rest[length])) ++length;
  if (length == 0) return std::nullopt;
  name = rest.substr(0, length);
  by.remove_prefix(1 + length);
  return std::string(name);
}

int group_number(const re2::RE2& regex, const std::string& name) {
  if (!name.empty() && name.size() < 6 &&
      std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::stoi(name);
  }
  const auto& names = regex.NamedCapturingGroups();
  const auto entry = names.find(name);
  return entry == names.end() ? -1 : entry->second;
}

void append_replacement(const re2::RE2& regex, std::string_view by,
                        const std::vector<re2::StringPiece>& groups, std::string& out) {
  while (!by.empty()) {
    const size_t dollar = std::min(by.find('$'), by.size());
    out.append(by.substr(0, dollar));
    by.remove_prefix(dollar);
    if (by.empty()) return;
    if (by.size() > 1 && by[1] == '$') {
      out += '$';
      by.remove_prefix(2);
      continue;
    }
    const std::optional<std::string> name = take_reference(by);
    if (!name) {
      out += '$';
      by.remove_prefix(1);
      continue;
    }
    const int number = group_number(regex, *name);
    if (number < 0 || static_cast<size_t>(number) >= groups.size()) continue;
    const re2::StringPiece group = groups[static_cast<size_t>(number)];
    if (group.data() != nullptr) out.append(group.data(), group.size());
  }
}

}  // namespace

TextRegex::TextRegex() = default;
TextRegex::~TextRegex() = default;
TextRegex::TextRegex(TextRegex&&) noexcept = default;
TextRegex& TextRegex::operator=(TextRegex&&) noexcept = default;

Result<TextRegex> TextRegex::compile(std::string_view source) {
  const auto wrong = [](std::string what) {
    return Error{ErrorCode::Config, "regex: " + std::move(what), "", ""};
  };
  if (source.size() > kRegexBytesMax) {
    return wrong(fmt::format("longer than {} bytes", kRegexBytesMax));
  }
  const Translation translation = Translator(source).run();
  if (!translation.refused.empty()) return wrong(translation.refused);
  TextRegex regex;
  regex.ascii_ = compile_engine(translation.ascii);
  if (!regex.ascii_->ok()) return wrong(regex.ascii_->error());
  if (translation.unicode != translation.ascii) {
    regex.unicode_ = compile_engine(translation.unicode);
    if (!regex.unicode_->ok()) return wrong(regex.unicode_->error());
  }
  RegexLiterals literals = read_regex_literals(source);
  regex.need_ = std::move(literals.need);
  regex.exact_ = literals.whole;
  regex.texts_.insert(literals.texts.begin(), literals.texts.end());
  return regex;
}

const re2::RE2& TextRegex::engine_for(std::string_view text) const {
  return unicode_ != nullptr && !is_ascii(text) ? *unicode_ : *ascii_;
}

bool TextRegex::matches(std::string_view text) const {
  if (exact_) return texts_.find(text) != texts_.end();
  return re2::RE2::PartialMatch(piece(text), engine_for(text));
}

std::string TextRegex::replace_all(std::string_view text, std::string_view by) const {
  const re2::RE2& regex = engine_for(text);
  std::vector<re2::StringPiece> groups(
      static_cast<size_t>(regex.NumberOfCapturingGroups()) + 1);
  std::string out;
  size_t at = 0;       // what is not yet written
  size_t search = 0;   // where the next match may start
  while (search <= text.size() &&
         regex.Match(piece(text), search, text.size(), re2::RE2::UNANCHORED, groups.data(),
                     static_cast<int>(groups.size()))) {
    const auto start = static_cast<size_t>(groups[0].data() - text.data());
    const size_t end = start + groups[0].size();
    const bool empty_after_match = start == end && start == at && at != 0 && search == at;
    if (!empty_after_match) {
      out.append(text.substr(at, start - at));
      append_replacement(regex, by, groups, out);
      at = end;
    }
    search = end;
    if (start == end || empty_after_match) {
      // One character on, for an empty match can only repeat itself.
      ++search;
      while (search < text.size() && (text[search] & 0xC0) == 0x80) ++search;
    }
  }
  out.append(text.substr(std::min(at, text.size())));
  return out;
}

}  // namespace tinyarms::rules
