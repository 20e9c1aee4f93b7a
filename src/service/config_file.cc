#include "service/config_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/utf8.h"

namespace tinyarms::service {
namespace {
// What the TOML library asserts does not hold for every hostile text ("[=" is one): an assertion
// would end the program, and without it the library goes on with undefined behaviour.
struct ParserFault {};
[[noreturn]] void give_up() { throw ParserFault{}; }
}  // namespace
}  // namespace tinyarms::service

// Headers only: nothing to link. NDEBUG would turn its assertions into assumptions.
#undef NDEBUG
#define TOML_ASSERT(condition) \
  (static_cast<bool>(condition) ? void() : tinyarms::service::give_up())
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFileBytesMax = 1 << 20;
constexpr size_t kDotsMax = 1000;

// toml++ 3.3 trusts its input more than a cloned file deserves: it recurses once a part of a
// dotted key without any limit ("a.a.a.…" exhausts the stack), and a character beyond ASCII where
// a space may stand is undefined behaviour. This looks at what lies outside of strings and comments
// first. Right for every valid prefix of TOML, and the parser does not go beyond that.
struct Survey {
  size_t dots = 0;                // they join keys or belong to numbers
  std::optional<size_t> foreign;  // offset of the first byte that TOML has no use for there
};

Survey survey(std::string_view text) {
  Survey found;
  for (size_t i = text.starts_with("\xef\xbb\xbf") ? 3 : 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool blank = c == '\t' || c == '\n' || c == '\r';
    if (c == '.') ++found.dots;
    if (!blank && (c < ' ' || c > '~') && !found.foreign) found.foreign = i;
    if (c == '#') i = std::min(text.find('\n', i), text.size() - 1);
    if (c == '"' || c == '\'') i = toml_string_end(text, i) - 1;
  }
  return found;
}

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::none: return "nothing";
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "a list with something other than texts in it";
    case toml::node_type::string: return "a text";
    case toml::node_type::integer: return "a whole number";
    case toml::node_type::floating_point: return "a number";
    case toml::node_type::boolean: return "true or false";
    case toml::node_type::date: return "a date";
    case toml::node_type::time: return "a time";
    case toml::node_type::date_time: return "a date and time";
  }
  return "something else";
}

RawValue raw_value(const toml::node& node) {
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* whole = node.as_integer()) return whole->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* text = node.as_string()) return text->get();
  const auto* array = node.as_array();
  if (array == nullptr) return Unusable{std::string(type_name(node))};
  std::vector<std::string> texts;
  for (const toml::node& entry : *array) {
    if (!entry.is_string()) return Unusable{std::string(type_name(node))};
    texts.push_back(entry.as_string()->get());
  }
  return texts;
}

bool is_bare(std::string_view part) {
  return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-';
  });
}

// Recursion is as deep as known keys are: unknown tables are not entered.
void flatten(const toml::table& table, const std::string& prefix, std::vector<FileSetting>& out) {
  for (const auto& entry : table) {
    const std::string_view part = entry.first.str();
    const std::string key = prefix + (is_bare(part) ? std::string(part) : toml_string(part));
    const toml::node& node = entry.second;
    if (node.is_table() && holds_settings(key)) {
      flatten(*node.as_table(), key + ".", out);
      continue;
    }
    // The key's own place: the value's may be lines further down.
    const toml::source_position at = entry.first.source().begin;
    out.push_back({key, raw_value(node), at.line, at.column});
  }
}

Error place(const fs::path& path, size_t line, size_t column, std::string what) {
  return Error{ErrorCode::Config, std::move(what),
               fmt::format("{}:{}:{}", printable(path.string(), 4096), line, column),
               "mend that line"};
}

// Line and column (in bytes) of `offset`, both from 1.
Error place_at(const fs::path& path, std::string_view text, size_t offset, std::string what) {
  const std::string_view before = text.substr(0, offset);
  const size_t line = 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
  const size_t newline = before.rfind('\n');
  const size_t column = newline == std::string_view::npos ? offset + 1 : offset - newline;
  return place(path, line, column, std::move(what));
}

Result<std::string> read_text_file(const fs::path& path) {
  const std::string where = printable(path.string(), 4096);
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  // A pipe would make us wait for ever, a device would never end.
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    return Error{ErrorCode::Config, "is not a file", where, "a configuration is a text file"};
  }
  auto text = read_file(path, kFileBytesMax);
  if (text) return text;
  Error error = text.error();
  error.where = where;
  if (error.code == ErrorCode::OverBudget) {
    return Error{ErrorCode::Config, "is larger than 1 MiB, which no configuration is", where,
                 "is this the right file?"};
  }
  return error;
}

// Parses the text and hands the table over. Every fault of it is an error with its place.
template <typename Take>
Result<void> with_text(std::string_view text, const fs::path& path, const Take& take) {
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return place_at(path, text, nul, "holds a NUL byte: this is not a text file");
  }
  if (auto bad = find_invalid_utf8(text)) {
    return place_at(path, text, *bad, "is not valid UTF-8");
  }
  const Survey outside = survey(text);
  if (outside.foreign) {
    return place_at(path, text, *outside.foreign,
                    "has a character here that must be in quotes");
  }
  if (outside.dots > kDotsMax) {
    return Error{ErrorCode::Config, "has more dotted keys than any configuration needs",
                 printable(path.string(), 4096), "is this the right file?"};
  }
  try {
    take(toml::parse(text));
  } catch (const toml::parse_error& problem) {
    const toml::source_position at = problem.source().begin;
    return place(path, at.line, at.column, printable(problem.description(), 400));
  } catch (const ParserFault&) {
    return Error{ErrorCode::Config, "is not TOML", printable(path.string(), 4096),
                 "look for a key or a [table] header that is empty or misspelt"};
  }
  return {};
}

template <typename Take>
Result<void> with_table(const fs::path& path, const Take& take) {
  auto text = read_text_file(path);
  if (!text) return text.error();
  return with_text(*text, path, take);
}

constexpr int kTreeDepthMax = 3;

void grow_tree(const toml::table& table, int depth, TomlNode& parent) {
  parent.kind = TomlNode::Kind::Table;
  for (const auto& entry : table) {
    const toml::node& node = entry.second;
    const toml::source_position at = entry.first.source().begin;
    TomlNode& child = parent.children.emplace_back();
    child.key = std::string(entry.first.str());
    child.line = at.line;
    child.column = at.column;
    const auto* array = node.as_array();
    const bool tables = array != nullptr && !array->empty() && array->is_homogeneous<toml::table>();
    if (depth < kTreeDepthMax && node.is_table()) {
      grow_tree(*node.as_table(), depth + 1, child);
    } else if (depth < kTreeDepthMax && tables) {
      child.kind = TomlNode::Kind::Tables;
      for (const toml::node& one : *array) {
        TomlNode& held = child.children.emplace_back();
        held.line = one.source().begin.line;
        held.column = one.source().begin.column;
        grow_tree(*one.as_table(), depth + 1, held);
      }
    } else {
      child.value = raw_value(node);
      if (array != nullptr && !array->empty() && array->is_homogeneous<int64_t>()) {
        for (const toml::node& one : *array) child.integers.push_back(one.as_integer()->get());
      }
    }
  }
}

}  // namespace

size_t toml_string_end(std::string_view text, size_t begin) {
  const char quote = text[begin];
  const size_t run = std::min(text.find_first_not_of(quote, begin), text.size()) - begin;
  if (run == 2) return begin + 2;  // the empty string
  const bool multiline = run >= 3;
  const std::string_view close = text.substr(begin, multiline ? 3 : 1);
  for (size_t at = begin + close.size(); at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (!multiline && text[at] == '\n') {
      return at;  // such a string may not go on: the parser stops here
    } else if (text.substr(at).starts_with(close)) {
      size_t end = at + close.size();
      // A multi-line string may have up to two quotes before its delimiter.
      for (int extra = 0; multiline && extra < 2; ++extra) {
        if (end < text.size() && text[end] == quote) ++end;
      }
      return end;
    }
  }
  return text.size();
}

Result<std::vector<FileSetting>> read_config_file(const fs::path& path) {
  std::vector<FileSetting> settings;
  auto read = with_table(path, [&](const toml::table& table) { flatten(table, "", settings); });
  if (!read) return read.error();
  std::sort(settings.begin(), settings.end(), [](const FileSetting& a, const FileSetting& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return settings;
}

Result<TomlNode> read_toml_tree(const fs::path& path) {
  TomlNode root;
  auto read = with_table(path, [&](const toml::table& table) { grow_tree(table, 0, root); });
  if (!read) return read.error();
  return root;
}

Result<TomlNode> parse_toml_tree(std::string_view text, const fs::path& name) {
  TomlNode root;
  auto read = with_text(text, name, [&](const toml::table& table) { grow_tree(table, 0, root); });
  if (!read) return read.error();
  return root;
}

std::optional<RawValue> parse_toml_value(std::string_view text) {
  const Survey outside = survey(text);
  if (find_invalid_utf8(text) || outside.foreign || outside.dots > kDotsMax) return std::nullopt;
  try {
    const toml::table parsed = toml::parse(fmt::format("value = {}", text));
    if (parsed.size() == 1) return raw_value(*parsed.get("value"));
  } catch (const toml::parse_error&) {
  } catch (const ParserFault&) {
  }
  return std::nullopt;
}

}  // namespace tinyarms::service
