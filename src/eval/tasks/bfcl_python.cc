#include "eval/tasks/bfcl_python.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>

#include "base/ascii.h"
#include "eval/tasks/bfcl_python_values.h"

namespace tinyarms::eval::bfcl {
namespace {

constexpr int kPythonDepthMax = 60;
constexpr size_t kPythonBytesMax = 1 << 20;

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_name(char c) { return is_name_start(c) || is_digit(c); }

// Recursive descent; nothing means "not of this subset".
class PythonParser {
 public:
  explicit PythonParser(std::string_view text) : text_(text) {}

  std::optional<std::vector<Call>> whole() {
    std::vector<Call> calls;
    if (take('[')) {
      while (!take(']')) {
        auto call = one_call();
        if (!call) return {};
        calls.push_back(std::move(*call));
        if (!take(',') && peek() != ']') return {};
      }
    } else {
      auto call = one_call();
      if (!call) return {};
      calls.push_back(std::move(*call));
    }
    skip();
    if (at_ != text_.size()) return {};
    return calls;
  }

 private:
  void skip() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        ++at_;
      } else {
        return;
      }
    }
  }
  char peek() {
    skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c || c == '\0') return false;
    ++at_;
    return true;
  }

  std::string dotted_name() {
    std::string name;
    while (is_name_start(peek())) {
      while (at_ < text_.size() && is_name(text_[at_])) name += text_[at_++];
      if (at_ + 1 >= text_.size() || text_[at_] != '.' || !is_name_start(text_[at_ + 1])) break;
      name += text_[at_++];
    }
    return name;
  }

  std::optional<Call> one_call() {
    Call call;
    call.name = dotted_name();
    if (call.name.empty() || !take('(') || !arguments(call)) return {};
    return call;
  }

  // Up to and with the closing bracket.
  bool arguments(Call& call) {
    if (++depth_ > kPythonDepthMax) return false;
    while (!take(')')) {
      const size_t begin = at_;
      const std::string name = dotted_name();
      const bool keyword = !name.empty() && name.find('.') == std::string::npos &&
                           peek() == '=' && text_.substr(at_, 2) != "==";
      if (keyword) {
        ++at_;
      } else {
        at_ = begin;
      }
      auto value = expression();
      if (!value) return false;
      if (keyword) {
        const bool twice = std::any_of(call.arguments.begin(), call.arguments.end(),
                                       [&](const auto& other) { return other.first == name; });
        if (twice) return false;
        call.arguments.emplace_back(name, std::move(*value));
      }
      if (!take(',') && peek() != ')') return false;
    }
    --depth_;
    return true;
  }

  std::optional<Value> expression() {
    if (++depth_ > kPythonDepthMax) return {};
    auto left = term();
    while (left && (peek() == '+' || peek() == '-')) {
      const char sign = text_[at_++];
      auto right = term();
      left = right ? combine(*left, sign, *right) : std::nullopt;
    }
    --depth_;
    return left;
  }

  std::optional<Value> term() {
    auto left = power();
    while (left && (peek() == '*' || peek() == '/' || peek() == '%')) {
      char sign = text_[at_++];
      if (sign == '/' && at_ < text_.size() && text_[at_] == '/') {
        ++at_;
        sign = 'f';
      }
      auto right = power();
      left = right ? combine(*left, sign, *right) : std::nullopt;
    }
    return left;
  }

  std::optional<Value> power() {
    auto base = unary();
    if (base && peek() == '*' && text_.substr(at_, 2) == "**") {
      at_ += 2;
      auto exponent = power();
      return exponent ? combine(*base, '^', *exponent) : std::nullopt;
    }
    return base;
  }

  std::optional<Value> unary() {
    if (take('-')) {
      if (++depth_ > kPythonDepthMax) return {};
      auto value = power();
      --depth_;
      if (!value) return {};
      if (value->kind == Value::Kind::Integer) return Value::of(-value->integer);
      if (value->kind == Value::Kind::Float) return Value::of(-value->real);
      return {};
    }
    if (take('+')) return primary();
    return primary();
  }

  std::optional<Value> primary() {
    const char c = peek();
    if (c == '[') return sequence(']', Value::Kind::List);
    if (c == '(') return sequence(')', Value::Kind::Tuple);
    if (c == '{') return dictionary();
    if (c == '"' || c == '\'') return strings(false);
    if (is_digit(c) || c == '.') return number();
    if (!is_name_start(c)) return {};
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    const bool prefixed = next == '"' || next == '\'';
    if (prefixed && (c == 'r' || c == 'R')) {
      ++at_;
      return strings(true);
    }
    if (prefixed && (c == 'u' || c == 'U')) {
      ++at_;
      return strings(false);
    }
    return name_or_call();
  }

  // (a) is a itself, (a,) and (a, b) are tuples.
  std::optional<Value> sequence(char close, Value::Kind kind) {
    if (++depth_ > kPythonDepthMax) return {};
    ++at_;
    Value value;
    value.kind = kind;
    bool comma = false;
    while (!take(close)) {
      auto item = expression();
      if (!item) return {};
      value.items.push_back(std::move(*item));
      if (take(',')) {
        comma = true;
      } else if (peek() != close) {
        return {};
      }
    }
    --depth_;
    if (kind == Value::Kind::Tuple && value.items.size() == 1 && !comma) {
      return std::move(value.items.front());
    }
    return value;
  }

  std::optional<Value> dictionary() {
    if (++depth_ > kPythonDepthMax) return {};
    ++at_;
    Value value;
    value.kind = Value::Kind::Dictionary;
    while (!take('}')) {
      auto key = expression();
      if (!key || !take(':')) return {};
      auto item = expression();
      if (!item) return {};
      std::string name = key->text;
      if (key->kind == Value::Kind::Integer) name = std::to_string(key->integer);
      if (key->kind != Value::Kind::String && key->kind != Value::Kind::Integer) return {};
      value.entries.emplace_back(std::move(name), std::move(*item));
      if (!take(',') && peek() != '}') return {};
    }
    --depth_;
    return value;
  }

  // Adjacent literals are one string.
  std::optional<Value> strings(bool raw) {
    std::string text;
    do {
      if (!one_string(raw, text)) return {};
      skip();
    } while (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\''));
    return Value::of(std::move(text));
  }

  bool one_string(bool raw, std::string& text) {
    const char quote = text_[at_];
    const std::string triple(3, quote);
    const bool is_long = text_.substr(at_, 3) == triple;
    at_ += is_long ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_long ? text_.substr(at_, 3) == triple : c == quote) {
        at_ += is_long ? 3 : 1;
        return true;
      }
      if (c == '\n' && !is_long) return false;
      if (c != '\\' || at_ + 1 >= text_.size()) {
        text += c;
        ++at_;
      } else if (raw) {
        text += text_.substr(at_, 2);
        at_ += 2;
      } else if (!escape(text)) {
        return false;
      }
    }
    return false;
  }

  bool escape(std::string& text) {
    const char c = text_[at_ + 1];
    at_ += 2;
    switch (c) {
      case 'n': text += '\n'; return true;
      case 't': text += '\t'; return true;
      case 'r': text += '\r'; return true;
      case '0': text += '\0'; return true;
      case '\n': return true;
      case '\\':
      case '\'':
      case '"': text += c; return true;
      case 'x': return coded(2, text);
      case 'u': return coded(4, text);
      case 'U': return coded(8, text);
      default:
        text += '\\';
        text += c;
        return true;
    }
  }

  bool coded(size_t digits, std::string& text) {
    if (at_ + digits > text_.size()) return false;
    uint32_t code = 0;
    const char* end = text_.data() + at_ + digits;
    const auto parsed = std::from_chars(text_.data() + at_, end, code, 16);
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    if (parsed.ec != std::errc() || parsed.ptr != end || code > 0x10FFFF || surrogate) return false;
    at_ += digits;
    append_code_point(code, text);
    return true;
  }

  std::optional<Value> number() {
    std::string digits;
    bool real = false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool exponent_sign = (c == '+' || c == '-') && !digits.empty() &&
                                 (digits.back() == 'e' || digits.back() == 'E');
      if (is_digit(c) || exponent_sign) {
        digits += c;
      } else if (c == '.' || c == 'e' || c == 'E') {
        real = true;
        digits += c;
      } else if (c != '_') {
        break;
      }
      ++at_;
    }
    if (at_ < text_.size() && is_name_start(text_[at_])) return {};
    int64_t integer = 0;
    const char* end = digits.data() + digits.size();
    if (!real) {
      const auto parsed = std::from_chars(digits.data(), end, integer);
      if (parsed.ec == std::errc() && parsed.ptr == end) return Value::of(integer);
    }
    char* stopped = nullptr;
    const double value = std::strtod(digits.c_str(), &stopped);
    if (stopped != digits.c_str() + digits.size()) return {};
    return Value::of(value);
  }

  std::optional<Value> name_or_call() {
    const size_t begin = at_;
    const std::string name = dotted_name();
    if (name == "True") return Value::of(true);
    if (name == "False") return Value::of(false);
    if (name == "None") return Value{};
    if (peek() == '(') {
      ++at_;
      Call call{name, {}};
      if (!arguments(call)) return {};
      if (call.arguments.empty()) return Value::of(std::string(text_.substr(begin, at_ - begin)));
      Value inner;
      inner.kind = Value::Kind::Dictionary;
      inner.entries = std::move(call.arguments);
      Value outer;
      outer.kind = Value::Kind::Dictionary;
      outer.entries.emplace_back(name, std::move(inner));
      return outer;
    }
    if (peek() == '[') {
      if (!sequence(']', Value::Kind::List)) return {};
      return Value::of(std::string(text_.substr(begin, at_ - begin)));
    }
    // An attribute is no value to the benchmark's decoder.
    if (name.find('.') != std::string::npos) return {};
    return Value::of(name);
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::optional<std::vector<Call>> parse_python_calls(std::string_view text) {
  if (text.size() > kPythonBytesMax) return {};
  return PythonParser(text).whole();
}

}  // namespace tinyarms::eval::bfcl
