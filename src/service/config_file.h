// Reads one TOML file into flat "group.key" values with their places. The only code that knows of
// the TOML library; nothing is checked here beyond the file being TOML.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "service/settings_value.h"

namespace tinyarms::service {

struct FileSetting {
  std::string key;  // "l2.model"; a part that is not a bare key is quoted, as in TOML
  RawValue value;
  size_t line = 0;  // from 1
  size_t column = 0;
};

// In the order of the file. A table is opened up only where known settings lie below it;
// otherwise it is one entry with the value Unusable. Errors: NotFound, Io (unreadable), Config
// (a folder or another thing that is not a file, over 1 MiB, NUL or invalid UTF-8, syntax;
// `where` is file:line:column).
Result<std::vector<FileSetting>> read_config_file(const std::filesystem::path& path);

// A TOML file as a tree, for files whose tables are not settings. Places count from 1.
struct TomlNode {
  enum class Kind { Value, Table, Tables };
  std::string key;  // empty for the root and for entries of an array of tables
  Kind kind = Kind::Value;
  RawValue value;                  // Kind::Value
  std::vector<int64_t> integers;   // of a list of whole numbers, which `value` cannot hold
  std::vector<TomlNode> children;  // Table: its entries; Tables: its tables, in order
  size_t line = 0;
  size_t column = 0;
};

// At most three levels are entered; deeper tables are Values that are Unusable. Errors: as above.
Result<TomlNode> read_toml_tree(const std::filesystem::path& path);
// The same of a text that is at hand; `name` stands in errors for the file.
Result<TomlNode> parse_toml_tree(std::string_view text, const std::filesystem::path& name);

// Where the TOML string that begins at `begin` with a quote ends: one past its last byte.
size_t toml_string_end(std::string_view text, size_t begin);

// One value alone, e.g. "[\"a\", \"b\"]"; nothing where it is not TOML.
std::optional<RawValue> parse_toml_value(std::string_view text);

}  // namespace tinyarms::service
