#include "service/config_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/file.h"
#include "service/config_file.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;

constexpr size_t kConfigBytesMax = 1 << 20;

struct SettingName {
  std::string_view group;
  std::string_view name;
};

SettingName parts_of(std::string_view key) {
  const size_t dot = key.find('.');
  return {key.substr(0, dot), key.substr(dot + 1)};
}

// Empty for a kind of value that is not written here.
std::string value_text(const RawValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* text = std::get_if<std::string>(&value)) return toml_string(*text);
  const auto* texts = std::get_if<std::vector<std::string>>(&value);
  if (texts == nullptr) return {};
  std::string list;
  for (const std::string& text : *texts) list += (list.empty() ? "" : ", ") + toml_string(text);
  return "[" + list + "]";
}

// Of the list that begins at `begin` one past its last bracket; nothing where it holds comments,
// which a new list would lose.
std::optional<size_t> list_end(std::string_view text, size_t begin) {
  size_t depth = 0;
  for (size_t at = begin; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '#') return std::nullopt;
    if (c == '"' || c == '\'') at = toml_string_end(text, at) - 1;
    if (c == '[') ++depth;
    if (c == ']' && --depth == 0) return at + 1;
  }
  return std::nullopt;
}

// What ends the value that begins there; nothing for a table and what is no value.
std::optional<size_t> value_end(std::string_view text, size_t begin) {
  if (begin >= text.size() || text[begin] == '{' || text[begin] == '\n') return std::nullopt;
  if (text[begin] == '[') return list_end(text, begin);
  if (text[begin] == '"' || text[begin] == '\'') return toml_string_end(text, begin);
  return std::min(text.find_first_of(" \t\r\n#,", begin), text.size());
}

// Where the line of that number begins, from 1; nothing where there are fewer.
std::optional<size_t> line_begin(std::string_view text, size_t number) {
  size_t begin = 0;
  for (size_t line = 1; line < number; ++line) {
    const size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return std::nullopt;
    begin = end + 1;
  }
  return begin;
}

// The value after the first '=' of the line, replaced; false where that cannot be told.
bool replace_value(std::string& text, size_t line, const std::string& value) {
  const auto begin = line_begin(text, line);
  if (!begin) return false;
  const size_t equals = text.find('=', *begin);
  if (equals == std::string::npos || equals > text.find('\n', *begin)) return false;
  const size_t at = text.find_first_not_of(" \t", equals + 1);
  if (at == std::string::npos) return false;
  const auto end = value_end(text, at);
  if (!end) return false;
  text.replace(at, *end - at, value);
  return true;
}

bool is_header(std::string_view line, std::string_view group) {
  const std::string header = fmt::format("[{}]", group);
  const std::string_view rest = trimmed(line, " \t\r");
  if (!rest.starts_with(header)) return false;
  const std::string_view after = trimmed(rest.substr(header.size()));
  return after.empty() || after[0] == '#';
}

// Where a line "group.other = …" begins: no header of that group may follow it.
std::optional<size_t> dotted_line(std::string_view text, const std::vector<FileSetting>& settings,
                                  std::string_view group) {
  const std::string dotted = fmt::format("{}.", group);
  for (const FileSetting& each : settings) {
    if (!each.key.starts_with(dotted)) continue;
    const auto begin = line_begin(text, each.line);
    if (begin && trimmed(text.substr(*begin), " \t").starts_with(dotted)) return begin;
  }
  return std::nullopt;
}

// Beside the group's dotted keys, else below its header, which is added where there is none.
void insert_value(std::string& text, const std::vector<FileSetting>& settings,
                  const SettingName& setting, const std::string& value) {
  if (const auto begin = dotted_line(text, settings, setting.group)) {
    text.insert(*begin, fmt::format("{}.{} = {}\n", setting.group, setting.name, value));
    return;
  }
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  const std::string line = fmt::format("{} = {}\n", setting.name, value);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (is_header(std::string_view(text).substr(begin, end - begin), setting.group)) {
      text.insert(end + 1, line);
      return;
    }
    begin = end + 1;
  }
  text += fmt::format("{}[{}]\n{}", text.empty() ? "" : "\n", setting.group, line);
}

using Values = std::vector<std::pair<std::string, RawValue>>;

bool is_edited(const std::vector<ConfigEdit>& edits, const std::string& key) {
  return std::any_of(edits.begin(), edits.end(),
                     [&](const ConfigEdit& edit) { return edit.key == key; });
}

// Those that no edit is about.
Values other_values(const std::vector<FileSetting>& settings,
                    const std::vector<ConfigEdit>& edits) {
  Values values;
  for (const FileSetting& each : settings) {
    if (!is_edited(edits, each.key)) values.emplace_back(each.key, each.value);
  }
  return values;
}

bool holds(const std::vector<FileSetting>& settings, const ConfigEdit& edit) {
  return std::any_of(settings.begin(), settings.end(), [&](const FileSetting& each) {
    return each.key == edit.key && each.value == edit.value;
  });
}

Error cannot_change(const fs::path& file, const ConfigEdit& edit) {
  const SettingName setting = parts_of(edit.key);
  return {ErrorCode::Config, fmt::format("{} cannot be changed here by itself", edit.key),
          file.string(), fmt::format("write {} = {} below [{}] yourself", setting.name,
                                     value_text(edit.value), setting.group)};
}

bool apply_edit(std::string& text, const std::vector<FileSetting>& settings,
                const ConfigEdit& edit) {
  const std::string value = value_text(edit.value);
  if (value.empty()) return false;
  const auto known = std::find_if(settings.begin(), settings.end(), [&](const FileSetting& each) {
    return each.key == edit.key;
  });
  if (known != settings.end()) return replace_value(text, known->line, value);
  insert_value(text, settings, parts_of(edit.key), value);
  return true;
}

}  // namespace

Result<void> edit_config(const fs::path& file, const std::vector<ConfigEdit>& edits) {
  std::error_code problem;
  const fs::path real = fs::exists(file, problem) ? fs::canonical(file, problem) : file;
  std::string text;
  std::vector<FileSetting> before;
  if (fs::exists(real, problem)) {
    auto settings = read_config_file(real);
    if (!settings) return settings.error();
    auto bytes = read_file(real, kConfigBytesMax);
    if (!bytes) return bytes.error();
    before = std::move(*settings);
    text = std::move(*bytes);
  }

  // Only what reads back as meant takes the file's place.
  PendingFile pending(real);
  std::vector<FileSetting> now = before;
  for (const ConfigEdit& edit : edits) {
    if (!apply_edit(text, now, edit)) return cannot_change(file, edit);
    if (auto written = write_file_atomically(pending.path(), text); !written) return written;
    auto after = read_config_file(pending.path());
    if (!after || !holds(*after, edit)) return cannot_change(file, edit);
    now = std::move(*after);
  }
  for (const ConfigEdit& edit : edits) {
    if (!holds(now, edit) || other_values(now, edits) != other_values(before, edits)) {
      return cannot_change(file, edit);
    }
  }
  return edits.empty() ? Result<void>() : pending.commit();
}

Result<void> set_flag(const fs::path& file, std::string_view group, std::string_view name,
                      bool value) {
  return edit_config(file, {{.key = fmt::format("{}.{}", group, name), .value = value}});
}

}  // namespace tinyarms::service
