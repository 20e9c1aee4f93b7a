#include "corpus/secrets.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "base/ascii.h"

namespace tinyarms::corpus {
namespace {

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_upper_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); }
bool is_token(char c) { return is_alnum(c) || c == '_' || c == '-'; }

// A prefix that issuers put before their keys, and what must follow it.
struct KeyPattern {
  std::string_view name;
  std::string_view prefix;
  bool (*of)(char);
  size_t length_min;
};

constexpr KeyPattern kKeys[] = {
    {"AWS access key", "AKIA", is_upper_or_digit, 16},
    {"AWS access key", "ASIA", is_upper_or_digit, 16},
    {"GitHub token", "ghp_", is_alnum, 30},
    {"GitHub token", "gho_", is_alnum, 30},
    {"GitHub token", "ghu_", is_alnum, 30},
    {"GitHub token", "ghs_", is_alnum, 30},
    {"GitHub token", "ghr_", is_alnum, 30},
    {"GitHub token", "github_pat_", is_token, 22},
    {"GitLab token", "glpat-", is_token, 20},
    {"Slack token", "xoxb-", is_token, 10},
    {"Slack token", "xoxp-", is_token, 10},
    {"Slack token", "xoxa-", is_token, 10},
    {"Slack token", "xoxr-", is_token, 10},
    {"Slack token", "xoxs-", is_token, 10},
    {"API key", "sk-", is_token, 32},
    {"Google API key", "AIza", is_token, 35},
    {"Stripe key", "sk_live_", is_alnum, 16},
    {"Stripe key", "rk_live_", is_alnum, 16},
    {"npm token", "npm_", is_alnum, 36},
    {"Hugging Face token", "hf_", is_alnum, 34},
    {"SendGrid key", "SG.", is_token, 20},
};

constexpr std::string_view kAssignedNames[] = {"api_key",       "apikey",      "api-key",
                                               "secret_key",    "secretkey",   "access_token",
                                               "auth_token",    "client_secret", "private_key",
                                               "access_key",    "password",    "passwd"};
constexpr size_t kAssignedMin = 20;
constexpr size_t kAssignedMax = 200;
constexpr double kAssignedBitsMin = 3.5;  // a character; words and placeholders have fewer

bool ends(std::string_view text, std::string_view tail) {
  return text.size() >= tail.size() && text.substr(text.size() - tail.size()) == tail;
}

double bits_per_character(std::string_view text) {
  std::array<size_t, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const size_t count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

// A key of well-known form anywhere in the line.
const char* known_key(std::string_view line) {
  if (line.find("-----BEGIN") != std::string_view::npos &&
      line.find("PRIVATE KEY") != std::string_view::npos) {
    return "private key";
  }
  for (const KeyPattern& key : kKeys) {
    for (size_t at = line.find(key.prefix); at != std::string_view::npos;
         at = line.find(key.prefix, at + 1)) {
      if (at > 0 && is_token(line[at - 1])) continue;
      size_t end = at + key.prefix.size();
      bool digit = false;
      while (end < line.size() && key.of(line[end])) {
        digit = digit || (line[end] >= '0' && line[end] <= '9');
        ++end;
      }
      const size_t length = end - at - key.prefix.size();
      // Words joined by hyphens are no key: one has digits.
      if (length >= key.length_min && digit) return key.name.data();
    }
  }
  return nullptr;
}

// `password = "…"` with a value that looks drawn by chance.
bool assigns_secret(std::string_view line) {
  const std::string low = lowered(line);
  for (const std::string_view name : kAssignedNames) {
    size_t at = low.find(name);
    if (at == std::string::npos) continue;
    at += name.size();
    while (at < line.size() && (line[at] == ' ' || line[at] == '"' || line[at] == '\'')) ++at;
    if (at >= line.size() || (line[at] != '=' && line[at] != ':')) continue;
    ++at;
    while (at < line.size() && (line[at] == ' ' || line[at] == '=')) ++at;
    if (at >= line.size() || (line[at] != '"' && line[at] != '\'')) continue;
    const size_t end = line.find(line[at], at + 1);
    if (end == std::string_view::npos) continue;
    const std::string_view value = line.substr(at + 1, end - at - 1);
    if (value.size() < kAssignedMin || value.size() > kAssignedMax) continue;
    const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
      return is_token(c) || c == '+' || c == '/' || c == '=' || c == '.';
    });
    const bool digits = std::any_of(value.begin(), value.end(),
                                    [](char c) { return c >= '0' && c <= '9'; });
    if (plain && digits && bits_per_character(value) >= kAssignedBitsMin) return true;
  }
  return false;
}

}  // namespace

std::optional<Secret> secret_name(std::string_view path) {
  const std::string name = lowered(path.substr(path.rfind('/') + 1));
  constexpr std::string_view kNames[] = {
      "id_rsa",    "id_dsa",  "id_ecdsa",       "id_ed25519",        ".netrc",
      "_netrc",    ".pgpass", ".htpasswd",      ".git-credentials",  "credentials",
      ".npmrc",    ".pypirc", "secrets.yml",    "secrets.yaml",      "secrets.json",
      "secrets.toml", ".dockercfg", "credentials.json"};
  if (std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames)) {
    return Secret{.pattern = "name of a file with credentials"};
  }
  const bool example = ends(name, ".example") || ends(name, ".sample") || ends(name, ".template");
  if (!example && (name == ".env" || name.rfind(".env.", 0) == 0 || ends(name, ".env"))) {
    return Secret{.pattern = "environment file"};
  }
  for (const std::string_view ending : {".pem", ".key", ".p12", ".pfx", ".jks", ".keystore",
                                        ".kdbx", ".ppk", ".asc"}) {
    if (ends(name, ending)) return Secret{.pattern = "key file"};
  }
  return std::nullopt;
}

std::optional<Secret> find_secret(std::string_view text) {
  uint32_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (const char* name = known_key(line)) return Secret{.pattern = name, .line = number};
    if (assigns_secret(line)) return Secret{.pattern = "assigned credential", .line = number};
  }
  return std::nullopt;
}

}  // namespace tinyarms::corpus
