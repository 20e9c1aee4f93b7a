#include "eval/code_answer.h"

#include <re2/re2.h>

#include <vector>

#include "rules/code.h"

namespace tinyarms::eval {
namespace {

struct Line {
  std::string_view text;  // without its line break
  std::string_view whole;
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = text.substr(0, std::min(end + 1, text.size()));
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.push_back({line, whole});
    text.remove_prefix(whole.size());
  }
  return lines;
}

bool matches(std::string_view line, const re2::RE2& pattern) {
  return re2::RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), pattern);
}

// A line with which code can begin.
bool begins_code(std::string_view line, std::string_view language) {
  static const re2::RE2 kPython(R"(^(from \w[\w.]* import |import \w|def \w+\s*\(|async def )"
                                R"(|class \w+\s*[(:]|@\w|    \S|\t\S))");
  static const re2::RE2 kOther(
      R"(^(#include|using |import |package |func |fn |pub |use |const |let |var |function |export )"
      R"(|class |public |template|struct |namespace |[\w:<>,&*\[\] ]+ \w+\(.*\)\s*(\{|$)))");
  return matches(line, language == "python" ? kPython : kOther);
}

// A line of Python at top level that cannot be prose.
bool continues_python(std::string_view line) {
  static const re2::RE2 kCode(
      R"(^([ \t#@)\]}'"]|(from|import|def|async|class|if|elif|else|for|while|try|except)"
      R"(|finally|with|return|raise|assert|print|global|del|pass)\b.*[(:\w)\]'"]$)"
      R"(|[\w.\[\], ]+\s*[-+*/|&]?=|[\w.]+\())");
  return line.empty() || matches(line, kCode);
}

// How many times the line opens or closes a triple-quoted string.
size_t triple_quotes(std::string_view line) {
  size_t count = 0;
  for (const std::string_view quote : {"\"\"\"", "'''"}) {
    for (size_t at = line.find(quote); at != std::string_view::npos;
         at = line.find(quote, at + 3)) {
      ++count;
    }
  }
  return count;
}

std::string code_without_fences(std::string_view answer, const CodeQuestion& question) {
  const std::string_view language = question.language;
  if (!question.entry_point.empty() && defines(answer, question) &&
      rules::parses(answer, language).value_or(false)) {
    return std::string(answer);
  }
  std::string code;
  bool began = false;
  bool quoted = false;
  for (const Line& line : lines_of(answer)) {
    began = began || begins_code(line.text, language);
    if (!began) continue;
    if (language == "python" && !quoted && !continues_python(line.text)) break;
    if (triple_quotes(line.text) % 2 == 1) quoted = !quoted;
    code += line.whole;
  }
  return code;
}

// What stands before a first fence that closes a block the question had opened.
std::string before_closing_fence(std::string_view answer, std::string_view language) {
  std::string code;
  for (const Line& line : lines_of(answer)) {
    if (line.text == "```" || line.text == "~~~") return code;
    if (line.text.substr(0, 3) == "```" || line.text.substr(0, 3) == "~~~") return {};
    if (code.empty() && !line.text.empty() && !begins_code(line.text, language)) return {};
    code += line.whole;
  }
  return {};
}

std::string chosen_block(const std::vector<rules::CodeBlock>& blocks,
                         const CodeQuestion& question) {
  if (!question.entry_point.empty()) {
    for (const rules::CodeBlock& block : blocks) {
      if (defines(block.code, question)) return block.code;
    }
  }
  for (const rules::CodeBlock& block : blocks) {
    if (block.language.empty() || block.language == question.language) return block.code;
  }
  return blocks.front().code;
}

}  // namespace

bool defines(std::string_view code, const CodeQuestion& question) {
  const std::string name = re2::RE2::QuoteMeta(
      re2::StringPiece(question.entry_point.data(), question.entry_point.size()));
  if (question.language == "python") {
    return matches(code, R"((?m)^(async )?(def|class)\s+)" + name + R"(\s*[(:])") ||
           matches(code, R"((?m)^)" + name + R"(\s*=[^=])");
  }
  if (question.language == "javascript" || question.language == "typescript") {
    return matches(code, R"(\bfunction\s+)" + name + R"(\b)") ||
           matches(code, R"(\b(const|let|var)\s+)" + name + R"(\s*(:[^=]+)?=)");
  }
  if (question.language == "rust") return matches(code, R"(\bfn\s+)" + name + R"(\b)");
  if (question.language == "go") return matches(code, R"((?m)^func\s+)" + name + R"(\b)");
  return matches(code, R"((?m)^[\t ]*[\w:<>,&*\[\]. ]*[\w>\]&*]\s+[&*]?)" + name + R"(\s*\()");
}

std::string without_trials(std::string_view python) {
  static const re2::RE2 kTrial(R"re(^(assert\b|if\s+__name__\s*==|[a-z_]\w*(\.\w+)*\s*\())re");
  static const re2::RE2 kSetting(R"re(^(sys|decimal|getcontext|random)\b)re");
  std::string kept;
  bool dropping = false;
  bool quoted = false;
  for (const Line& line : lines_of(python)) {
    const bool top = !quoted && !line.text.empty() && line.text[0] != ' ' && line.text[0] != '\t';
    const bool closes = top && (line.text[0] == ')' || line.text[0] == ']' || line.text[0] == '}');
    if (top && !closes) {
      dropping = matches(line.text, kTrial) && !matches(line.text, kSetting);
    }
    if (triple_quotes(line.text) % 2 == 1) quoted = !quoted;
    if (!dropping) kept += line.whole;
  }
  return kept;
}

std::string extract_code(std::string_view answer, const CodeQuestion& question) {
  std::string code = before_closing_fence(answer, question.language);
  if (code.empty()) {
    const auto blocks = rules::extract_code_blocks(answer);
    code = blocks.empty() ? code_without_fences(answer, question)
                          : chosen_block(blocks, question);
  }
  if (question.language == "python" && !question.entry_point.empty()) code = without_trials(code);
  return code.find_first_not_of(" \t\r\n") == std::string::npos ? std::string() : code;
}

}  // namespace tinyarms::eval
