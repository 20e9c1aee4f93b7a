#include "signals/answer_code.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "rules/code.h"

namespace tinyarms::signals {
namespace {

constexpr size_t kExampleBytesMax = 2000;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

bool is_python(std::string_view code) {
  return code.size() <= kExampleBytesMax && rules::parses(code, "python").value_or(false);
}

// A literal inside quotes, as Python reads it back.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\\' || c == '\'') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (c != '\r') {
      out += c;
    }
  }
  return out + "'";
}

// What a docstring may close on the same line.
std::string_view without_quotes(std::string_view text) {
  for (const std::string_view quotes : {"\"\"\"", "'''"}) {
    text = trimmed(text.substr(0, text.find(quotes)));
  }
  return text;
}

// ">>> f(1)" with its continuations, and the lines of output below it.
void add_doctest(const std::vector<std::string_view>& lines, size_t& at,
                 std::vector<Example>& examples) {
  std::string call(trimmed(trimmed(lines[at]).substr(3)));
  ++at;
  while (at < lines.size() && trimmed(lines[at]).starts_with("...")) {
    call += "\n" + std::string(trimmed(lines[at++]).substr(3));
  }
  std::string expected;
  for (; at < lines.size(); ++at) {
    const std::string_view whole = trimmed(lines[at]);
    const std::string_view line = without_quotes(whole);
    if (line.empty() || line.starts_with(">>>") || line.starts_with("```")) break;
    expected += (expected.empty() ? "" : "\n") + std::string(line);
    if (line.size() != whole.size()) break;
  }
  if (is_python(call) && !expected.empty() && call.find('(') != std::string::npos) {
    examples.push_back({std::move(call), std::move(expected), ""});
  }
}

void add_sentence(std::string_view line, std::vector<Example>& examples) {
  static const re2::RE2 kSays(
      R"re(^[-*#\d.) ]*(?:For example,? )?`?([A-Za-z_]\w*\(.*\))`?,? *)re"
      R"re((?:==|=>|->|➞|→|returns|should return|gives) *`?(.+?)`?[.;]?$)re");
  std::string call;
  std::string expected;
  if (line.starts_with("def ") || line.starts_with("async def ")) return;
  if (!re2::RE2::FullMatch(piece(line), kSays, &call, &expected)) return;
  if (is_python(call) && is_python(expected)) {
    examples.push_back({std::move(call), std::move(expected), ""});
  }
}

}  // namespace

std::string python_of(std::string_view answer, std::string_view question) {
  std::string code;
  const auto blocks = rules::extract_code_blocks(answer);
  for (const rules::CodeBlock& block : blocks) {
    const bool unnamed = block.language.empty() && rules::parses(block.code, "python") == true;
    if (block.language == "python" || unnamed) code += block.code + "\n";
  }
  const bool bare = blocks.empty() && answer.find("def ") != std::string_view::npos;
  if (bare && rules::parses(answer, "python").value_or(false)) code = answer;
  if (code.empty()) return code;
  std::string imports;
  for (const std::string_view line : lines_of(question)) {
    static const re2::RE2 kImport(R"((from [\w.]+ import [\w, *]+|import [\w., ]+))");
    if (re2::RE2::FullMatch(piece(line), kImport)) imports += std::string(line) + "\n";
  }
  return imports + code;
}

std::vector<Example> examples_of(std::string_view question, size_t most) {
  std::vector<Example> examples;
  const std::vector<std::string_view> lines = lines_of(question);
  for (size_t at = 0; at < lines.size();) {
    const std::string_view line = without_quotes(lines[at]);
    if (trimmed(lines[at]).starts_with(">>>")) {
      add_doctest(lines, at, examples);
      continue;
    }
    if (line.starts_with("assert ") && is_python(line)) {
      examples.push_back({"", "", std::string(line)});
    } else {
      add_sentence(line, examples);
    }
    ++at;
  }
  std::vector<Example> kept;
  for (Example& example : examples) {
    const auto same = [&](const Example& other) {
      return other.call == example.call && other.statement == example.statement;
    };
    if (kept.size() < most && std::none_of(kept.begin(), kept.end(), same)) {
      kept.push_back(std::move(example));
    }
  }
  return kept;
}

std::string test_of(const Example& example) {
  if (!example.statement.empty()) return example.statement + "\n";
  return fmt::format(
      "import ast as _ast\n"
      "_got = ({})\n"
      "try:\n"
      "    _want = _ast.literal_eval({})\n"
      "except (ValueError, SyntaxError):\n"
      "    assert repr(_got) == {}\n"
      "else:\n"
      "    if isinstance(_want, float) and isinstance(_got, (int, float)):\n"
      "        assert abs(_got - _want) <= 1e-6 * max(1.0, abs(_want))\n"
      "    else:\n"
      "        assert _got == _want\n",
      example.call, quoted(example.expected), quoted(example.expected));
}

}  // namespace tinyarms::signals
