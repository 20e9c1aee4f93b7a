// Values on their way into Settings: what a file, a variable or a flag said, before and after it
// is checked against the setting's kind and range.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "service/settings.h"

namespace tinyarms::service {

struct Unusable {
  bool operator==(const Unusable&) const = default;
  std::string what;  // "a table", "a list with something other than texts in it"
};

using RawValue =
    std::variant<bool, int64_t, double, std::string, std::vector<std::string>, Unusable>;

// A variable's or a flag's text, read as the setting's kind asks. What cannot be read so stays a
// text, and `assign` refuses it.
RawValue read_text(const SettingInfo& info, std::string_view text);

struct AssignContext {
  std::filesystem::path folder;  // relative paths are meant from here
  std::filesystem::path home;    // "~/" means this; empty: left as it is
  bool from_project = false;     // the source is not trusted: ProjectRule holds
};

// Checks, then stores. `entry`: which one, of a setting that is a table (SettingPlace). Errors:
// Config, with `where` left for the caller; `settings` is unchanged then. Values that may be
// secrets are never repeated in an error.
Result<void> assign(Settings& settings, const SettingInfo& info, const RawValue& value,
                    const AssignContext& context, std::string_view entry = {});

// Text from outside as it can be shown on a terminal: control characters and invalid UTF-8 become
// '?', and what is longer than `bytes_max` is cut with "…".
std::string printable(std::string_view text, size_t bytes_max = 80);

std::string toml_string(std::string_view text);  // quoted and escaped, as TOML's basic string
std::string_view toggle_name(Toggle value);      // "auto", "on", "off"
std::string_view remote_kind_name(RemoteKind value);  // "openai", "anthropic"
std::string_view switch_name(Switch value);      // "auto", "always", "never"

}  // namespace tinyarms::service
