#include "service/config_edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/file.h"
#include "service/config_file.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;

constexpr size_t kConfigBytesMax = 1 << 20;

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string_view without_blanks_in_front(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

bool is_header(std::string_view line, std::string_view group) {
  const std::string header = fmt::format("[{}]", group);
  const std::string_view rest = without_blanks_in_front(line);
  if (!rest.starts_with(header)) return false;
  const std::string_view after = without_blanks_in_front(rest.substr(header.size()));
  return after.empty() || after[0] == '#' || after[0] == '\r';
}

// The truth value after the line's first '=', replaced; false where there is none.
bool replace_value(std::string& line, bool value) {
  const size_t equals = line.find('=');
  if (equals == std::string::npos) return false;
  const size_t begin = line.find_first_not_of(" \t", equals + 1);
  if (begin == std::string::npos) return false;
  for (const std::string_view word : {"true", "false"}) {
    if (line.compare(begin, word.size(), word) != 0) continue;
    line.replace(begin, word.size(), value ? "true" : "false");
    return true;
  }
  return false;
}

using Values = std::vector<std::pair<std::string, RawValue>>;

Values values_but(const std::vector<FileSetting>& settings, const std::string& key) {
  Values values;
  for (const FileSetting& each : settings) {
    if (each.key != key) values.emplace_back(each.key, each.value);
  }
  return values;
}

Error cannot_change(const fs::path& file, std::string_view group, std::string_view name,
                    bool value) {
  return {ErrorCode::Config, fmt::format("{}.{} cannot be changed here by itself", group, name),
          file.string(), fmt::format("write {} = {} below [{}] yourself", name, value, group)};
}

std::string edited(const std::string& text, const std::vector<FileSetting>& settings,
                   std::string_view group, std::string_view name, bool value) {
  std::vector<std::string> lines = lines_of(text);
  const std::string line = fmt::format("{} = {}", name, value);
  const auto known = std::find_if(settings.begin(), settings.end(), [&](const FileSetting& each) {
    return each.key == fmt::format("{}.{}", group, name);
  });
  const auto header = std::find_if(lines.begin(), lines.end(), [&](const std::string& each) {
    return is_header(each, group);
  });
  if (known != settings.end()) {
    const bool there = known->line >= 1 && known->line <= lines.size();
    if (!there || !replace_value(lines[known->line - 1], value)) return {};
  } else if (header != lines.end()) {
    lines.insert(header + 1, line);
  } else {
    if (!lines.empty() && !lines.back().empty()) lines.emplace_back();
    lines.push_back(fmt::format("[{}]", group));
    lines.push_back(line);
  }
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

}  // namespace

Result<void> set_flag(const fs::path& file, std::string_view group, std::string_view name,
                      bool value) {
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
  const std::string after_text = edited(text, before, group, name, value);
  if (after_text.empty()) return cannot_change(file, group, name, value);

  // Only what reads back as meant takes the file's place.
  PendingFile pending(real);
  if (auto written = write_file_atomically(pending.path(), after_text); !written) return written;
  const std::string key = fmt::format("{}.{}", group, name);
  auto after = read_config_file(pending.path());
  if (!after || values_but(*after, key) != values_but(before, key)) {
    return cannot_change(file, group, name, value);
  }
  const auto now = std::find_if(after->begin(), after->end(),
                                [&](const FileSetting& each) { return each.key == key; });
  if (now == after->end() || now->value != RawValue(value)) {
    return cannot_change(file, group, name, value);
  }
  return pending.commit();
}

}  // namespace tinyarms::service
