#include "service/settings_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "intent/language.h"
#include "service/config_file.h"
#include "service/settings_size.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;
using Kind = SettingKind;

constexpr uint64_t kBudgetMin = uint64_t{1} << 20;

// Why a value is refused; nothing where it is fine.
using Refusal = std::optional<std::string>;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string shown(const RawValue& value) {
  struct Show {
    std::string operator()(bool held) const { return held ? "true" : "false"; }
    std::string operator()(int64_t held) const { return fmt::format("{}", held); }
    std::string operator()(double held) const { return fmt::format("{}", held); }
    std::string operator()(const std::string& held) const {
      return fmt::format("\"{}\"", printable(held));
    }
    std::string operator()(const std::vector<std::string>&) const { return "a list"; }
    std::string operator()(const Unusable& held) const { return held.what; }
  };
  return std::visit(Show{}, value);
}

bool may_be_secret(Kind kind) {
  return kind == Kind::VariableName || kind == Kind::Url || kind == Kind::UrlList;
}

Error refusal(const SettingInfo& info, const RawValue& value, std::string_view reason,
              std::string_view entry) {
  const std::string key =
      entry.empty() ? std::string(info.key) : fmt::format("{}.{}", info.key, printable(entry));
  std::string what =
      may_be_secret(info.kind)
          ? fmt::format("{} cannot be what was given (not shown: it may be secret)", key)
          : fmt::format("{} cannot be {}", key, shown(value));
  if (!reason.empty()) what += fmt::format(": {}", reason);
  return Error{ErrorCode::Config, std::move(what), "", "allowed: " + allowed_values(info)};
}

std::optional<double> as_number(const RawValue& value) {
  if (const auto* whole = std::get_if<int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return std::nullopt;
}

// NaN lies in no range.
bool in_range(const SettingInfo& info, double number) {
  return number >= info.minimum && number <= info.maximum;
}

fs::path resolve(const std::string& path, const AssignContext& context) {
  if (path.starts_with("~/") && !context.home.empty()) return context.home / path.substr(2);
  return (context.folder / path).lexically_normal();
}

bool spells_path(const std::string& model) {
  return model.find('/') != std::string::npos || model.ends_with(".gguf");
}

Refusal check_text(const std::string& text) {
  if (find_invalid_utf8(text)) return "it is not valid UTF-8";
  if (text.find('\0') != std::string::npos) return "it holds a NUL character";
  return std::nullopt;
}

Refusal check_line(const std::string& text) {
  if (auto bad = check_text(text)) return bad;
  if (std::any_of(text.begin(), text.end(), is_control)) return "it holds a control character";
  return std::nullopt;
}

// Stricter than the system is: a key pasted by mistake must not pass as a name.
Refusal check_variable_name(const std::string& name) {
  constexpr size_t kOneWordMax = 15;
  const bool capitals = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  const bool begins = name.empty() || name[0] == '_' || (name[0] >= 'A' && name[0] <= 'Z');
  const bool words = name.size() <= kOneWordMax || name.find('_') != std::string::npos;
  if (capitals && begins && words && name.size() <= 64) return std::nullopt;
  return "it looks like a key itself; keep the key in an environment variable and name that";
}

Refusal check_url(const std::string& url) {
  if (url.empty()) return std::nullopt;
  if (auto bad = check_line(url)) return bad;
  if (url.find_first_of(" \"\\<>") != std::string::npos) return "it is not an address";
  std::string_view rest = url;
  const bool secure = rest.starts_with("https://");
  if (!secure && !rest.starts_with("http://")) return "it does not begin with https://";
  rest.remove_prefix(secure ? 8 : 7);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) return "it holds a user name or a password";
  const bool bracketed = authority.starts_with('[');
  const size_t host_end = bracketed ? authority.find(']') : authority.find(':');
  const std::string_view host = authority.substr(0, host_end);
  if (host.empty() || (bracketed && host_end == std::string_view::npos)) return "it has no host";
  const bool here = host == "localhost" || host == "127.0.0.1" || host == "[::1";
  if (!secure && !here) return "without https:// anybody on the way can read the key";
  return std::nullopt;
}

// A kind of questions that a specialist may be for. Intents may be the user's own, but what is
// nearly one of ours is a slip that would never match.
Refusal check_kind(std::string_view kind) {
  static const std::vector<std::string> kOurs = {"code", "general", "maths", "tools",
                                                 "about-my-code", "multilingual"};
  constexpr std::string_view kLanguage = "language.";
  if (kind.empty()) return "it is set by kind of questions";
  if (kind.starts_with(kLanguage)) {
    const auto known = intent::known_languages();
    if (std::find(known.begin(), known.end(), kind.substr(kLanguage.size())) != known.end()) {
      return std::nullopt;
    }
    std::string all;
    for (const std::string_view one : known) all += fmt::format(" {}", one);
    return fmt::format("of languages these are told apart:{}", all);
  }
  const bool spelt = kind.size() <= 32 && std::all_of(kind.begin(), kind.end(), [](char c) {
    return is_lower(c) || is_digit(c) || c == '-' || c == '_';
  });
  if (!spelt) return "a kind of questions is written in small letters, digits, - and _";
  const auto near = nearest(kind, kOurs);
  if (near && *near != kind) return fmt::format("did you mean {}?", *near);
  return std::nullopt;
}

Refusal check_model(const std::string& model, const SettingInfo& info,
                    const AssignContext& context) {
  if (auto bad = check_line(model)) return bad;
  const bool path = spells_path(model);
  if (context.from_project && info.project == ProjectRule::StoreOnly && path) {
    return "a project may only name an installed model; put a path into your own config.toml";
  }
  if (!path && (model == "." || model == "..")) return "it names a folder";
  return std::nullopt;
}

Refusal store_string(std::string& field, const SettingInfo& info, const std::string& text,
                     const AssignContext& context) {
  Refusal bad;
  if (info.kind == Kind::Model) bad = check_model(text, info, context);
  if (info.kind == Kind::Url) bad = check_url(text);
  if (info.kind == Kind::VariableName) bad = check_variable_name(text);
  if (info.kind == Kind::Text) bad = check_text(text);
  if (info.kind == Kind::Path) bad = check_line(text);
  if (bad) return bad;
  const bool path = (info.kind == Kind::Model && spells_path(text)) ||
                    (info.kind == Kind::Path && !text.empty());
  field = path ? resolve(text, context).string() : text;
  return std::nullopt;
}

// One address may stand without the list; no address at all is an empty text.
Refusal store_urls(std::vector<std::string>& field, const RawValue& value) {
  std::vector<std::string> urls;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    urls = *list;
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    urls = {*text};
  } else {
    return "";
  }
  if (urls.size() == 1 && urls[0].empty()) urls.clear();
  if (urls.size() > kUrlsMax) return "these are too many";
  for (size_t i = 0; i < urls.size(); ++i) {
    if (urls[i].empty()) return "one of its entries is empty";
    if (auto bad = check_url(urls[i])) return bad;
    const auto until = urls.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(urls.begin(), until, urls[i]) != until) return "an address stands there twice";
  }
  field = std::move(urls);
  return std::nullopt;
}

Refusal store_list(std::vector<std::string>& field, const SettingInfo& info,
                   const std::vector<std::string>& texts, const AssignContext& context) {
  std::vector<std::string> taken;
  for (const std::string& text : texts) {
    const bool paths = info.kind == Kind::PathList;
    if (text.empty()) return "one of its entries is empty";
    if (auto bad = paths ? check_line(text) : check_text(text)) return bad;
    taken.push_back(paths ? resolve(text, context).string() : text);
  }
  field = std::move(taken);
  return std::nullopt;
}

Refusal store_pair(std::vector<std::string>& field, const SettingInfo& info,
                   const std::vector<std::string>& models, const AssignContext& context) {
  std::vector<std::string> taken;
  for (const std::string& model : models) {
    if (model.empty()) return "one of its entries is empty";
    if (auto bad = check_model(model, info, context)) return bad;
    taken.push_back(spells_path(model) ? resolve(model, context).string() : model);
  }
  if (!taken.empty() && (taken.size() != 2 || taken[0] == taken[1])) return "";
  field = std::move(taken);
  return std::nullopt;
}

// One overload a type of field. Each leaves the field alone unless all is well.
struct Store {
  const SettingInfo& info;
  const RawValue& value;
  const AssignContext& context;
  std::string_view entry;

  template <typename T>
  Refusal whole(T* field) const {
    const auto* number = std::get_if<int64_t>(&value);
    if (number == nullptr || !in_range(info, static_cast<double>(*number))) return outside();
    *field = static_cast<T>(*number);
    return std::nullopt;
  }
  template <typename T>
  Refusal real(T* field) const {
    const auto number = as_number(value);
    if (!number || !in_range(info, *number)) return outside();
    *field = *number;
    return std::nullopt;
  }
  Refusal outside() const {
    return as_number(value) ? std::string(info.range_reason) : std::string();
  }

  Refusal operator()(bool* field) const {
    const auto* flag = std::get_if<bool>(&value);
    if (flag == nullptr) return "";
    *field = *flag;
    return std::nullopt;
  }
  Refusal operator()(int* field) const { return whole(field); }
  Refusal operator()(uint32_t* field) const { return whole(field); }
  Refusal operator()(double* field) const { return real(field); }
  Refusal operator()(std::optional<double>* field) const { return real(field); }
  Refusal operator()(std::optional<uint64_t>* field) const {
    const auto* text = std::get_if<std::string>(&value);
    const auto* count = std::get_if<int64_t>(&value);
    if (text != nullptr && *text == "auto") {
      field->reset();
      return std::nullopt;
    }
    if (text == nullptr && count == nullptr) return "";
    auto bytes = parse_size(text != nullptr ? *text : fmt::format("{}", *count));
    if (!bytes) return bytes.error().what;
    if (*bytes < kBudgetMin) return "no model fits into less than 1MiB";
    *field = *bytes;
    return std::nullopt;
  }
  Refusal operator()(uint64_t* field) const {
    const auto* text = std::get_if<std::string>(&value);
    const auto* count = std::get_if<int64_t>(&value);
    if (text == nullptr && count == nullptr) return "";
    const std::string spelt = text != nullptr ? *text : fmt::format("{}", *count);
    auto bytes = spelt == "off" ? Result<uint64_t>(uint64_t{0}) : parse_size(spelt);
    if (!bytes) return bytes.error().what;
    if (*bytes != 0 && *bytes < kBudgetMin) return "less than 1MiB holds nothing";
    *field = *bytes;
    return std::nullopt;
  }
  Refusal operator()(Toggle* field) const {
    const auto* text = std::get_if<std::string>(&value);
    for (Toggle choice : {Toggle::Auto, Toggle::On, Toggle::Off}) {
      if (text == nullptr || *text != toggle_name(choice)) continue;
      *field = choice;
      return std::nullopt;
    }
    return "";
  }
  Refusal operator()(RemoteKind* field) const {
    const auto* text = std::get_if<std::string>(&value);
    for (RemoteKind choice : {RemoteKind::OpenAi, RemoteKind::Anthropic}) {
      if (text == nullptr || *text != remote_kind_name(choice)) continue;
      *field = choice;
      return std::nullopt;
    }
    return "";
  }
  Refusal operator()(Switch* field) const {
    const auto* text = std::get_if<std::string>(&value);
    for (Switch choice : {Switch::Auto, Switch::Always, Switch::Never}) {
      if (text == nullptr || *text != switch_name(choice)) continue;
      *field = choice;
      return std::nullopt;
    }
    return "";
  }
  Refusal operator()(std::string* field) const {
    const auto* text = std::get_if<std::string>(&value);
    return text != nullptr ? store_string(*field, info, *text, context) : Refusal("");
  }
  Refusal operator()(cascade::EnsembleRule* field) const {
    const auto* text = std::get_if<std::string>(&value);
    for (cascade::EnsembleRule choice :
         {cascade::EnsembleRule::Confidence, cascade::EnsembleRule::Behaviour}) {
      if (text == nullptr || *text != cascade::ensemble_rule_name(choice)) continue;
      *field = choice;
      return std::nullopt;
    }
    return "";
  }
  Refusal operator()(std::map<std::string, std::string>* field) const {
    if (auto bad = check_kind(entry)) return bad;
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return "";
    if (auto bad = check_model(*text, info, context)) return bad;
    (*field)[std::string(entry)] = spells_path(*text) ? resolve(*text, context).string() : *text;
    return std::nullopt;
  }
  Refusal operator()(std::map<std::string, double>* field) const {
    if (auto bad = check_kind(entry)) return bad;
    double share = 0;
    if (auto bad = real(&share)) return bad;
    (*field)[std::string(entry)] = share;
    return std::nullopt;
  }
  Refusal operator()(std::vector<std::string>* field) const {
    if (info.kind == Kind::UrlList) return store_urls(*field, value);
    const auto* texts = std::get_if<std::vector<std::string>>(&value);
    if (info.kind == Kind::ModelPair) {
      return texts != nullptr ? store_pair(*field, info, *texts, context) : Refusal("");
    }
    return texts != nullptr ? store_list(*field, info, *texts, context) : Refusal("");
  }
};

template <typename T>
RawValue number_or_text(std::string_view text) {
  T number{};
  auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || rest != text.data() + text.size()) return std::string(text);
  return number;
}

RawValue flag_or_text(std::string_view text) {
  for (std::string_view yes : {"true", "1", "yes", "on"}) {
    if (text == yes) return true;
  }
  for (std::string_view no : {"false", "0", "no", "off"}) {
    if (text == no) return false;
  }
  return std::string(text);
}

}  // namespace

RawValue read_text(const SettingInfo& info, std::string_view text) {
  switch (info.kind) {
    case Kind::Flag: return flag_or_text(text);
    case Kind::Integer: return number_or_text<int64_t>(text);
    case Kind::Number: return number_or_text<double>(text);
    case Kind::ShareTable: return number_or_text<double>(text);
    case Kind::TextList:
    case Kind::PathList:
    case Kind::UrlList:
    case Kind::ModelPair:
      if (text.starts_with('[')) {
        return parse_toml_value(text).value_or(
            Unusable{"a list that is not written as TOML, [\"one\", \"two\"]"});
      }
      return std::vector<std::string>{std::string(text)};
    case Kind::Size:
    case Kind::SizeOrOff:
    case Kind::Choice:
    case Kind::Toggle:
    case Kind::Remote:
    case Kind::Text:
    case Kind::Path:
    case Kind::Model:
    case Kind::ModelTable:
    case Kind::Rule:
    case Kind::Url:
    case Kind::VariableName: break;
  }
  return std::string(text);
}

Result<void> assign(Settings& settings, const SettingInfo& info, const RawValue& value,
                    const AssignContext& context, std::string_view entry) {
  if (context.from_project && info.project == ProjectRule::Forbidden) {
    return Error{ErrorCode::Config,
                 fmt::format("a project may not set {}: its file comes with whatever was cloned",
                             info.key),
                 "", "put it into your own config.toml: tinyarms config path"};
  }
  if (auto bad = std::visit(Store{info, value, context, entry}, info.field(settings))) {
    return refusal(info, value, *bad, entry);
  }
  return {};
}

std::string printable(std::string_view text, size_t bytes_max) {
  std::string clean(text.substr(0, bytes_max + 4));
  while (auto bad = find_invalid_utf8(clean)) clean[*bad] = '?';
  for (size_t i = 0; i < clean.size(); ++i) {
    // U+0080 to U+009F are control characters too; in UTF-8 they begin with C2.
    const bool high = clean[i] == '\xc2' && i + 1 < clean.size() &&
                      static_cast<unsigned char>(clean[i + 1]) < 0xa0;
    if (is_control(clean[i])) clean[i] = '?';
    if (high) clean.replace(i, 2, "?");
  }
  if (clean.size() <= bytes_max) return clean;
  return clean.substr(0, complete_utf8_prefix(std::string_view(clean).substr(0, bytes_max))) + "…";
}

std::string toml_string(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (is_control(c)) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string_view toggle_name(Toggle value) {
  switch (value) {
    case Toggle::Auto: return "auto";
    case Toggle::On: return "on";
    case Toggle::Off: return "off";
  }
  return "auto";
}

std::string_view remote_kind_name(RemoteKind value) {
  switch (value) {
    case RemoteKind::OpenAi: return "openai";
    case RemoteKind::Anthropic: return "anthropic";
  }
  return "openai";
}

std::string_view switch_name(Switch value) {
  switch (value) {
    case Switch::Auto: return "auto";
    case Switch::Always: return "always";
    case Switch::Never: return "never";
  }
  return "auto";
}

}  // namespace tinyarms::service
