#include "tiers/undefined_names.h"

#include <algorithm>
#include <set>

#include "rules/code.h"
#include "rules/scan.h"
#include "tiers/embedded_rules.h"

namespace tinyarms::tiers {
namespace {

// The builtins of Python 3.13, and what an interactive session adds. Sorted by bytes.
constexpr std::string_view kBuiltins[] = {
    "ArithmeticError", "AssertionError", "AttributeError", "BaseException", "BaseExceptionGroup",
    "BlockingIOError", "BrokenPipeError", "BufferError", "BytesWarning", "ChildProcessError",
    "ConnectionAbortedError", "ConnectionError", "ConnectionRefusedError", "ConnectionResetError",
    "DeprecationWarning", "EOFError", "Ellipsis", "EncodingWarning", "EnvironmentError",
    "Exception", "ExceptionGroup", "False", "FileExistsError", "FileNotFoundError",
    "FloatingPointError", "FutureWarning", "GeneratorExit", "IOError", "ImportError",
    "ImportWarning", "IndentationError", "IndexError", "InterruptedError", "IsADirectoryError",
    "KeyError", "KeyboardInterrupt", "LookupError", "MemoryError", "ModuleNotFoundError",
    "NameError", "None", "NotADirectoryError", "NotImplemented", "NotImplementedError", "OSError",
    "OverflowError", "PendingDeprecationWarning", "PermissionError", "ProcessLookupError",
    "PythonFinalizationError", "RecursionError", "ReferenceError", "ResourceWarning",
    "RuntimeError", "RuntimeWarning", "StopAsyncIteration", "StopIteration", "SyntaxError",
    "SyntaxWarning", "SystemError", "SystemExit", "TabError", "TimeoutError", "True", "TypeError",
    "UnboundLocalError", "UnicodeDecodeError", "UnicodeEncodeError", "UnicodeError",
    "UnicodeTranslateError", "UnicodeWarning", "UserWarning", "ValueError", "Warning",
    "WindowsError", "ZeroDivisionError", "_", "abs", "aiter", "all", "anext", "any", "ascii",
    "bin", "bool", "breakpoint", "bytearray", "bytes", "callable", "chr", "classmethod", "compile",
    "complex", "copyright", "credits", "delattr", "dict", "dir", "divmod", "enumerate", "eval",
    "exec", "exit", "filter", "float", "format", "frozenset", "getattr", "globals", "hasattr",
    "hash", "help", "hex", "id", "input", "int", "isinstance", "issubclass", "iter", "len",
    "license", "list", "locals", "map", "max", "memoryview", "min", "next", "object", "oct",
    "open", "ord", "pow", "print", "property", "quit", "range", "repr", "reveal_type", "reversed",
    "round", "set", "setattr", "slice", "sorted", "staticmethod", "str", "sum", "super", "tuple",
    "type", "vars", "zip"};

bool is_builtin(std::string_view name) {
  const bool dunder = name.size() > 4 && name.substr(0, 2) == "__" &&
                      name.substr(name.size() - 2) == "__";
  return dunder || std::binary_search(std::begin(kBuiltins), std::end(kBuiltins), name);
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::set<std::string_view> words_of(std::string_view text) {
  std::set<std::string_view> words;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end > at) words.insert(text.substr(at, end - at));
    at = std::max(end, at + 1);
  }
  return words;
}

const rules::RuleSet& name_rules() {
  static const rules::RuleSet kRules = load_embedded_rules("python_names");
  return kRules;
}

}  // namespace

std::optional<std::vector<std::string>> undefined_python_names(std::string_view code,
                                                               std::string_view known) {
  if (!rules::parses(code, "python").value_or(false)) return std::nullopt;
  rules::ScanOptions options;
  options.language = rules::find_language("python");
  options.details = false;
  options.bytes_max = rules::kCodeBytesMax;
  rules::Scratch scratch;
  const rules::ScanResult result = rules::scan(name_rules(), code, options, scratch);
  if (result.outcome != rules::ScanResult::Outcome::Scanned) return std::nullopt;

  std::set<std::string_view> bound;
  std::set<std::string_view> read;
  for (const rules::Finding& finding : result.findings) {
    const std::string_view name =
        code.substr(finding.range.start, finding.range.end - finding.range.start);
    if (finding.rule->id == "anything") return std::nullopt;
    (finding.rule->id == "read" ? read : bound).insert(name);
  }
  const std::set<std::string_view> words = words_of(known);
  std::vector<std::string> undefined;
  for (const std::string_view name : read) {
    if (bound.count(name) > 0 || words.count(name) > 0 || is_builtin(name)) continue;
    undefined.emplace_back(name);
  }
  return undefined;
}

}  // namespace tinyarms::tiers
